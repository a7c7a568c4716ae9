//! Policies of organizations. Every change counts up the one row of `policy_epoch`, so that each node sees at a glance
//! whether what it knows is the present state; ref changes hold that row.

use forge_types::Timestamp;
use forge_types::account::AccountRef;
use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

/// A policy of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPolicy {
    /// Its name in the organization.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Who added it.
    pub created_by: AccountRef,
    /// When.
    pub created_at: Timestamp,
}

impl FromRow for StoredPolicy {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            name: row.get("name")?,
            text: row.get("text")?,
            created_by: account_ref(row, "creator")?.ok_or_else(|| corrupt("created_by", "null"))?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A policy of an organization whose policies changed; nothing of a policy if it has none any more.
#[derive(Clone, Debug)]
pub struct ChangedPolicy {
    /// The organization.
    pub organization_id: AccountId,
    /// Its login.
    pub login: String,
    /// Which change was its last.
    pub version: i64,
    /// The policy's name.
    pub name: Option<String>,
    /// The policy's text.
    pub text: Option<String>,
}
from_row!(ChangedPolicy { organization_id, login, version, name, text });

struct Epoch {
    version: i64,
}
from_row!(Epoch { version });

macro_rules! stored_policies {
    () => {
        "SELECT p.name, p.text, p.created_at, b.id AS creator_id, b.kind AS creator_kind, b.login AS creator_login, \
         b.name AS creator_name, b.is_site_admin AS creator_is_site_admin, COUNT(*) OVER () AS total \
         FROM organization_policies p JOIN accounts b ON b.id = p.created_by WHERE p.organization_id = $1 "
    };
}

/// Returns how many changes there were.
///
/// # Errors
/// Only faults of the database.
pub async fn version(conn: &mut Conn) -> StoreResult<i64> {
    let epoch: Epoch =
        conn.fetch_one(sql!("SELECT version FROM policy_epoch WHERE id = 1"), params![]).await?;
    Ok(epoch.version)
}

/// Returns how many changes there were and keeps further ones from being made until the transaction ends.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_version(tx: &mut Tx) -> StoreResult<i64> {
    if tx.is_sqlite() {
        return version(tx).await;
    }
    let held = postgres_sql!("SELECT version FROM policy_epoch WHERE id = 1 FOR SHARE");
    let epoch: Epoch = tx.fetch_one(held, params![]).await?;
    Ok(epoch.version)
}

/// Returns the policies of all organizations whose policies changed after `version`.
///
/// # Errors
/// Only faults of the database.
pub async fn list_changed(conn: &mut Conn, version: i64) -> StoreResult<Vec<ChangedPolicy>> {
    conn.fetch_all(
        sql!(
            "SELECT v.organization_id, a.login, v.version, p.name, p.text FROM organization_policy_versions v \
             JOIN accounts a ON a.id = v.organization_id \
             LEFT JOIN organization_policies p ON p.organization_id = v.organization_id \
             WHERE v.version > $1 ORDER BY v.organization_id, p.name"
        ),
        params![version],
    )
    .await
}

/// Returns the policies of an organization, by name.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, organization: AccountId) -> StoreResult<Vec<StoredPolicy>> {
    conn.fetch_all(sql!(stored_policies!(), "ORDER BY p.name"), params![organization]).await
}

/// Returns a page of the policies of an organization, by name.
///
/// # Errors
/// Only faults of the database.
pub async fn list_page(
    conn: &mut Conn,
    organization: AccountId,
    page: PageRequest,
) -> StoreResult<Page<StoredPolicy>> {
    let listed = sql!(stored_policies!(), "ORDER BY p.name LIMIT $2 OFFSET $3");
    conn.fetch_page(listed, params![organization], page).await
}

/// Counts a change of an organization's policies, and waits for the ref changes under way. Whoever changes policies calls
/// this first, holding nothing that a ref change waits for.
///
/// # Errors
/// Only faults of the database.
pub async fn count_change(tx: &mut Tx, organization: AccountId) -> StoreResult<()> {
    tx.execute(sql!("UPDATE policy_epoch SET version = version + 1 WHERE id = 1"), params![]).await?;
    tx.execute(
        sql!(
            "INSERT INTO organization_policy_versions (organization_id, version) \
             SELECT CAST($1 AS BIGINT), version FROM policy_epoch WHERE id = 1 \
             ON CONFLICT (organization_id) DO UPDATE SET version = excluded.version"
        ),
        params![organization],
    )
    .await?;
    Ok(())
}

/// Adds a policy.
///
/// # Errors
/// `Duplicate` if the organization has one of that name.
pub async fn insert(
    tx: &mut Tx,
    organization: AccountId,
    (name, text): (&str, &str),
    created_by: AccountId,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO organization_policies (organization_id, name, text, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5)"
        ),
        params![organization, name, text, created_by, now],
    )
    .await?;
    Ok(())
}

/// Removes a policy; false if there is none of that name.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, organization: AccountId, name: &str) -> StoreResult<bool> {
    let gone = sql!("DELETE FROM organization_policies WHERE organization_id = $1 AND name = $2");
    Ok(tx.execute(gone, params![organization, name]).await? == 1)
}
