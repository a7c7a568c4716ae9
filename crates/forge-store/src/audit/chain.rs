//! The chain in its order, by the thousands.
//!
//! The driver of SQLite hands every value of an answer over by itself, which for the 35 of an entry costs more than all
//! the rest of checking it. So there an entry comes as one JSON array and its hashes.

use forge_types::Timestamp;
use forge_types::id::{AccountId, AuditEventId, CredentialId, RepositoryId};
use serde::Deserialize;

use super::events::{AuditEvent, audit_columns};
use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql, sqlite_sql};
use crate::{Conn, StoreResult};

/// Returns the entries of the chain from the place after `from` through `to`, without those that are missing.
///
/// # Errors
/// Only faults of the database.
pub async fn list_chain(conn: &mut Conn, from: i64, to: i64) -> StoreResult<Vec<AuditEvent>> {
    let places = params![from, to];
    if !conn.is_sqlite() {
        let statement = sql!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_seals s JOIN audit_events e ON e.id = s.event_id \
             WHERE s.position > $1 AND s.position <= $2 ORDER BY s.position"
        );
        return conn.fetch_all(statement, places).await;
    }
    let statement = sqlite_sql!(
        "SELECT json_array(e.id, e.created_at, e.event, e.decision, e.reason, e.actor_id, e.actor_login, e.actor_kind, \
         e.acting_id, e.acting_login, e.credential_id, e.credential_kind, e.token_fingerprint, e.repository_id, \
         e.organization_id, e.subject_id, e.request_id, e.surface, e.ip, e.user_agent, e.details, e.version, \
         e.delegator_id, e.delegator_login, e.task, e.grant_id, e.runtime, e.resource, e.side_effect, e.personal, \
         s.position) AS entry, e.content_hash, e.personal_salt, e.personal_commitment, s.hash \
         FROM audit_seals s JOIN audit_events e ON e.id = s.event_id \
         WHERE s.position > $1 AND s.position <= $2 ORDER BY s.position"
    );
    let packed: Vec<Packed> = conn.fetch_all(statement, places).await?;
    Ok(packed.into_iter().map(|packed| packed.0).collect())
}

/// An entry that came as JSON.
struct Packed(AuditEvent);

/// The members of the array, in their order.
#[derive(Deserialize)]
struct Members {
    id: AuditEventId,
    created_at: i64,
    event: String,
    decision: String,
    reason: Option<String>,
    actor_id: Option<AccountId>,
    actor_login: Option<String>,
    actor_kind: Option<String>,
    acting_id: Option<AccountId>,
    acting_login: Option<String>,
    credential_id: Option<CredentialId>,
    credential_kind: Option<String>,
    token_fingerprint: Option<String>,
    repository_id: Option<RepositoryId>,
    organization_id: Option<AccountId>,
    subject_id: Option<AccountId>,
    request_id: String,
    surface: String,
    ip: Option<String>,
    user_agent: Option<String>,
    details: String,
    version: i64,
    delegator_id: Option<AccountId>,
    delegator_login: Option<String>,
    task: Option<String>,
    grant_id: Option<String>,
    runtime: Option<String>,
    resource: Option<String>,
    side_effect: Option<String>,
    personal: Option<String>,
    position: Option<i64>,
}

impl FromRow for Packed {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let text: String = row.get("entry")?;
        let members: Members = serde_json::from_str(&text).map_err(|_| corrupt("entry", &text))?;
        Ok(Self(AuditEvent {
            id: members.id,
            created_at: Timestamp::from_micros(members.created_at),
            event: members.event,
            decision: members.decision,
            reason: members.reason,
            actor_id: members.actor_id,
            actor_login: members.actor_login,
            actor_kind: members.actor_kind,
            acting_id: members.acting_id,
            acting_login: members.acting_login,
            credential_id: members.credential_id,
            credential_kind: members.credential_kind,
            token_fingerprint: members.token_fingerprint,
            repository_id: members.repository_id,
            organization_id: members.organization_id,
            subject_id: members.subject_id,
            request_id: members.request_id,
            surface: members.surface,
            ip: members.ip,
            user_agent: members.user_agent,
            details: members.details,
            content_hash: row.get("content_hash")?,
            version: members.version,
            delegator_id: members.delegator_id,
            delegator_login: members.delegator_login,
            task: members.task,
            grant_id: members.grant_id,
            runtime: members.runtime,
            resource: members.resource,
            side_effect: members.side_effect,
            personal: members.personal,
            personal_salt: row.get("personal_salt")?,
            personal_commitment: row.get("personal_commitment")?,
            position: members.position,
            hash: row.get("hash")?,
        }))
    }
}
