//! Agents: what an agent account has beyond any account. `overview` lists them for their human, `bindings` says whose
//! they are, `invites` keeps the invitations, `given` what accepting one gave, `keys` what agents prove themselves with.

pub mod bindings;
pub mod given;
pub mod invites;
pub mod keys;
pub mod overview;

use forge_types::Timestamp;
use forge_types::account::Account;
use forge_types::agent::{Agent, StandingAccess};
use forge_types::ceiling::Ceiling;
use forge_types::id::AccountId;
use forge_types::name;

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, Value, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

impl FromRow for Agent {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: Account::from_row(row)?,
            owner: account_ref(row, "owner")?,
            bound_at: row.get("bound_at")?,
            standing_access: row.get("standing_access")?,
            bound_only: row.get("bound_only")?,
            signed_only: row.get("signed_only")?,
            delegator: account_ref(row, "delegator")?,
            ceiling: row.get("ceiling")?,
            expires_unbound_at: row.get("expires_unbound_at")?,
            last_used_at: row.get("last_used_at")?,
            creator: account_ref(row, "creator")?,
            suspended_reason: row.get("status_reason")?,
            suspended_by: row.get("suspended_by")?,
        })
    }
}

/// The columns of an [`Agent`], from [`agent_tables`].
macro_rules! agent_columns {
    () => {
        "a.id, a.kind, a.login, a.name, a.email, a.is_email_public, a.description, a.status, a.is_site_admin, a.created_by, \
         a.created_at, a.updated_at, a.status_reason, g.standing_access, g.bound_only, g.signed_only, g.ceiling, g.expires_unbound_at, \
         g.suspended_by, b.bound_at, o.id AS owner_id, o.kind AS owner_kind, o.login AS owner_login, o.name AS owner_name, \
         o.is_site_admin AS owner_is_site_admin, k.id AS creator_id, k.kind AS creator_kind, \
         k.login AS creator_login, k.name AS creator_name, k.is_site_admin AS creator_is_site_admin, \
         d.id AS delegator_id, d.kind AS delegator_kind, d.login AS delegator_login, d.name AS delegator_name, \
         d.is_site_admin AS delegator_is_site_admin, \
         (SELECT MAX(c.last_used_at) FROM credentials c WHERE c.account_id = a.id AND c.kind <> 'w') AS last_used_at"
    };
}
pub(crate) use agent_columns;

/// The tables of an [`Agent`]: the account `a`, the agent `g`, its binding `b`, its human `o`, its creator `k`, and `d`
/// whose rights it uses.
macro_rules! agent_tables {
    () => {
        "accounts a JOIN agents g ON g.account_id = a.id LEFT JOIN agent_bindings b ON b.agent_id = a.id \
         LEFT JOIN accounts o ON o.id = b.human_id LEFT JOIN accounts k ON k.id = a.created_by \
         LEFT JOIN accounts d ON d.id = g.delegator_id"
    };
}
pub(crate) use agent_tables;

/// What an agent has beyond its account.
#[derive(Clone, Debug)]
pub struct NewAgent<'a> {
    /// Its account, already inserted.
    pub account_id: AccountId,
    /// What its standing token may do.
    pub standing_access: StandingAccess,
    /// When it is removed unless somebody binds it.
    pub expires_unbound_at: Option<Timestamp>,
    /// The address it registered from.
    pub registered_from: Option<&'a str>,
}

/// Inserts an agent.
///
/// # Errors
/// `Constraint` if the account is not an agent's.
pub async fn insert(tx: &mut Tx, new: &NewAgent<'_>) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO agents (account_id, standing_access, expires_unbound_at, registered_from) \
             VALUES ($1, $2, $3, $4)"
        ),
        params![new.account_id, new.standing_access.as_str(), new.expires_unbound_at, new.registered_from,],
    )
    .await?;
    Ok(())
}

/// Returns the agent with this login, in whatever case; deleted agents do not count.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_login(conn: &mut Conn, login: &str) -> StoreResult<Option<Agent>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            agent_columns!(),
            " FROM ",
            agent_tables!(),
            " WHERE a.login_key = $1 AND a.status <> 'deleted'"
        ),
        params![name::key(login)],
    )
    .await
}

/// Returns the agent with this id; deleted agents do not count.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, id: AccountId) -> StoreResult<Option<Agent>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            agent_columns!(),
            " FROM ",
            agent_tables!(),
            " WHERE a.id = $1 AND a.status <> 'deleted'"
        ),
        params![id],
    )
    .await
}

/// Writes what the agent's standing token may do.
///
/// # Errors
/// Only faults of the database.
pub async fn update_standing_access(
    tx: &mut Tx,
    id: AccountId,
    standing_access: StandingAccess,
) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE agents SET standing_access = $2 WHERE account_id = $1"),
        params![id, standing_access.as_str()],
    )
    .await?;
    Ok(())
}

/// Writes whether the agent's tokens are good only when they are bound to a key.
///
/// # Errors
/// Only faults of the database.
pub async fn update_bound_only(tx: &mut Tx, id: AccountId, bound_only: bool) -> StoreResult<()> {
    tx.execute(sql!("UPDATE agents SET bound_only = $2 WHERE account_id = $1"), params![id, bound_only])
        .await?;
    Ok(())
}

/// Writes whether the agent changes refs by signed pushes only.
///
/// # Errors
/// Only faults of the database.
pub async fn update_signed_only(tx: &mut Tx, id: AccountId, signed_only: bool) -> StoreResult<()> {
    tx.execute(sql!("UPDATE agents SET signed_only = $2 WHERE account_id = $1"), params![id, signed_only])
        .await?;
    Ok(())
}

/// Writes with whose rights the agent's own credentials act; `None` means with its own.
///
/// # Errors
/// Only faults of the database.
pub async fn update_delegator(tx: &mut Tx, id: AccountId, delegator: Option<AccountId>) -> StoreResult<()> {
    tx.execute(sql!("UPDATE agents SET delegator_id = $2 WHERE account_id = $1"), params![id, delegator])
        .await?;
    Ok(())
}

/// What an agent's own credentials may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// With whose rights they act, if not with its own.
    pub delegator_id: Option<AccountId>,
    /// What the agent has at most.
    pub ceiling: Option<Ceiling>,
    /// What its standing token may do.
    pub standing_access: StandingAccess,
}
from_row!(Bounds { delegator_id, ceiling, standing_access });

/// Returns what an agent's own credentials may do. The account is held.
///
/// # Errors
/// Only faults of the database.
pub async fn find_bounds(tx: &mut Tx, id: AccountId) -> StoreResult<Option<Bounds>> {
    tx.fetch_optional(
        sql!("SELECT delegator_id, ceiling, standing_access FROM agents WHERE account_id = $1"),
        params![id],
    )
    .await
}

/// Writes what the agent has at most.
///
/// # Errors
/// Only faults of the database.
pub async fn update_ceiling(tx: &mut Tx, id: AccountId, ceiling: Option<&Ceiling>) -> StoreResult<()> {
    let ceiling = ceiling.map_or(Value::Text(None), Value::from);
    tx.execute(sql!("UPDATE agents SET ceiling = $2 WHERE account_id = $1"), vec![Value::from(id), ceiling])
        .await?;
    Ok(())
}

/// Writes who suspended the agent; `None` when it is restored.
///
/// # Errors
/// Only faults of the database.
pub async fn update_suspended_by(tx: &mut Tx, id: AccountId, by: Option<AccountId>) -> StoreResult<()> {
    tx.execute(sql!("UPDATE agents SET suspended_by = $2 WHERE account_id = $1"), params![id, by]).await?;
    Ok(())
}

struct ExpiredAgent {
    account_id: AccountId,
}
from_row!(ExpiredAgent { account_id });

/// Returns up to `limit` agents that nobody bound in time.
///
/// # Errors
/// Only faults of the database.
pub async fn list_expired(conn: &mut Conn, now: Timestamp, limit: i64) -> StoreResult<Vec<AccountId>> {
    let rows: Vec<ExpiredAgent> = conn
        .fetch_all(
            sql!(
                "SELECT account_id FROM agents WHERE expires_unbound_at IS NOT NULL AND expires_unbound_at <= $1 \
                 ORDER BY expires_unbound_at LIMIT $2"
            ),
            params![now, limit],
        )
        .await?;
    Ok(rows.into_iter().map(|row| row.account_id).collect())
}

/// Ends the expiry of an agent whose time has come; false when it was bound meanwhile. Holds the agent's row until
/// the transaction ends, so that binding and expiring cannot both succeed.
///
/// # Errors
/// Only faults of the database.
pub async fn claim_expired(tx: &mut Tx, id: AccountId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE agents SET expires_unbound_at = NULL WHERE account_id = $1 AND expires_unbound_at <= $2 \
                 AND NOT EXISTS (SELECT 1 FROM agent_bindings b WHERE b.agent_id = $1)"
            ),
            params![id, now],
        )
        .await?;
    Ok(rows == 1)
}
