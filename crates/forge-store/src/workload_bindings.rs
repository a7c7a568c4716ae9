//! Bindings of workloads to agents. One that is removed is gone: what it opened ends by its family.

use std::collections::BTreeMap;
use std::time::Duration;

use forge_types::Timestamp;
use forge_types::id::{AccountId, WorkloadBindingId};
use forge_types::workload::{IssuerKeys, SubjectPattern, WorkloadBinding};
use serde_json::Value as Json;

use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// The columns of a [`WorkloadBinding`].
macro_rules! workload_binding_columns {
    () => {
        "id, agent_id, issuer, audience, subject, claims, max_ttl, jwks, jwks_uri, created_at, last_used_at"
    };
}

impl FromRow for WorkloadBinding {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let (subject, claims): (String, String) = (row.get("subject")?, row.get("claims")?);
        let claims: BTreeMap<String, Json> =
            serde_json::from_str(&claims).map_err(|_| corrupt("claims", &claims))?;
        let seconds: i64 = row.get("max_ttl")?;
        let keys = match (row.get::<Option<String>>("jwks")?, row.get::<Option<String>>("jwks_uri")?) {
            (Some(keys), _) => IssuerKeys::Inline(keys),
            (None, Some(address)) => IssuerKeys::Address(address),
            (None, None) => IssuerKeys::Discovered,
        };
        Ok(Self {
            id: WorkloadBindingId(row.get("id")?),
            agent_id: row.get("agent_id")?,
            issuer: row.get("issuer")?,
            audience: row.get("audience")?,
            subject: SubjectPattern::parse(&subject).map_err(|_| corrupt("subject", &subject))?,
            claims,
            max_ttl: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
            keys,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

/// Inserts a binding.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(tx: &mut Tx, new: &WorkloadBinding, created_by: Option<AccountId>) -> StoreResult<()> {
    let (jwks, jwks_uri) = match &new.keys {
        IssuerKeys::Inline(keys) => (Some(keys.as_str()), None),
        IssuerKeys::Address(address) => (None, Some(address.as_str())),
        IssuerKeys::Discovered => (None, None),
    };
    tx.execute(
        sql!(
            "INSERT INTO workload_bindings (id, agent_id, issuer, audience, subject, claims, max_ttl, jwks, jwks_uri, \
             created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        params![
            new.id.0.as_str(),
            new.agent_id,
            &new.issuer,
            new.audience.as_deref(),
            new.subject.as_str(),
            Json::from_iter(new.claims.clone()).to_string(),
            i64::try_from(new.max_ttl.as_secs()).unwrap_or(i64::MAX),
            jwks,
            jwks_uri,
            created_by,
            new.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Returns the bindings of an agent, oldest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, agent: AccountId) -> StoreResult<Vec<WorkloadBinding>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            workload_binding_columns!(),
            " FROM workload_bindings WHERE agent_id = $1 ORDER BY created_at, id"
        ),
        params![agent],
    )
    .await
}

/// Returns a binding of an agent, if it stands, and notes that it is used.
///
/// # Errors
/// Only faults of the database.
pub async fn touch(
    tx: &mut Tx,
    agent: AccountId,
    id: &WorkloadBindingId,
    now: Timestamp,
) -> StoreResult<Option<WorkloadBinding>> {
    tx.fetch_optional(
        sql!(
            "UPDATE workload_bindings SET last_used_at = $3 WHERE agent_id = $1 AND id = $2 RETURNING ",
            workload_binding_columns!()
        ),
        params![agent, id.0.as_str(), now],
    )
    .await
}

/// Removes a binding of an agent; returns whether there was one.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, agent: AccountId, id: &WorkloadBindingId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM workload_bindings WHERE agent_id = $1 AND id = $2"),
            params![agent, id.0.as_str()],
        )
        .await?;
    Ok(rows == 1)
}
