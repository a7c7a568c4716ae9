//! Invitations of agents by humans. The secret is kept as a keyed hash; accepting is one conditional statement.

use forge_types::Timestamp;
use forge_types::agent::{AgentInvite, RepositoryGrant, TeamGrant};
use forge_types::id::{AccountId, InviteId};
use forge_types::page::{Page, PageRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreError, StoreResult, Tx};

impl FromRow for AgentInvite {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            human_id: row.get("human_id")?,
            agent_login: row.get("agent_login")?,
            repository_grants: grants::<RepositoryGrant>(row, "repository_grants")?,
            team_grants: grants::<TeamGrant>(row, "team_grants")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            consumed_at: row.get("consumed_at")?,
            consumed_by: row.get("consumed_by")?,
            registered_id: row.get("registered_id")?,
            withdrawn_at: row.get("withdrawn_at")?,
        })
    }
}

fn grants<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> StoreResult<Vec<T>> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| corrupt(column, &text))
}

fn text(grants: &impl Serialize) -> StoreResult<String> {
    serde_json::to_string(grants).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// The columns of an [`AgentInvite`].
macro_rules! invite_columns {
    () => {
        "id, human_id, agent_login, repository_grants, team_grants, created_at, expires_at, consumed_at, \
         consumed_by, registered_id, withdrawn_at"
    };
}

/// Inserts an invitation whose secret has this hash.
///
/// # Errors
/// `Duplicate` if the hash exists, which no honest run ever sees.
pub async fn insert(tx: &mut Tx, invite: &AgentInvite, token_hash: &[u8; 32]) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO agent_invites (id, human_id, token_hash, agent_login, repository_grants, team_grants, \
             created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        params![
            &invite.id,
            invite.human_id,
            token_hash,
            invite.agent_login.as_deref(),
            text(&invite.repository_grants)?,
            text(&invite.team_grants)?,
            invite.created_at,
            invite.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Returns the invitation whose secret has this hash.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_hash(conn: &mut Conn, token_hash: &[u8; 32]) -> StoreResult<Option<AgentInvite>> {
    conn.fetch_optional(
        sql!("SELECT ", invite_columns!(), " FROM agent_invites WHERE token_hash = $1"),
        params![token_hash],
    )
    .await
}

/// Returns an invitation of this human.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, human_id: AccountId, id: &InviteId) -> StoreResult<Option<AgentInvite>> {
    conn.fetch_optional(
        sql!("SELECT ", invite_columns!(), " FROM agent_invites WHERE human_id = $1 AND id = $2"),
        params![human_id, id],
    )
    .await
}

/// Returns a page of this human's invitations, newest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, human_id: AccountId, page: PageRequest) -> StoreResult<Page<AgentInvite>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            invite_columns!(),
            ", COUNT(*) OVER () AS total FROM agent_invites WHERE human_id = $1 ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
        ),
        params![human_id],
        page,
    )
    .await
}

/// Marks an invitation as accepted by this agent; false when it is no longer open. Of two agents that try at once,
/// one waits for the other and finds it taken.
///
/// # Errors
/// Only faults of the database.
pub async fn consume(tx: &mut Tx, id: &InviteId, agent_id: AccountId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE agent_invites SET consumed_at = $3, consumed_by = $2 WHERE id = $1 AND consumed_at IS NULL \
                 AND withdrawn_at IS NULL AND expires_at > $3 AND (registered_id IS NULL OR registered_id = $2)"
            ),
            params![id, agent_id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Marks an invitation as used for registering this agent; false when it is no longer open or was used so before.
///
/// # Errors
/// Only faults of the database.
pub async fn claim_registration(
    tx: &mut Tx,
    id: &InviteId,
    agent_id: AccountId,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE agent_invites SET registered_id = $2 WHERE id = $1 AND registered_id IS NULL \
                 AND consumed_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3"
            ),
            params![id, agent_id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Withdraws an open invitation of this human; false when it is not open.
///
/// # Errors
/// Only faults of the database.
pub async fn withdraw(tx: &mut Tx, human_id: AccountId, id: &InviteId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE agent_invites SET withdrawn_at = $3 WHERE id = $2 AND human_id = $1 \
                 AND consumed_at IS NULL AND withdrawn_at IS NULL"
            ),
            params![human_id, id, now],
        )
        .await?;
    Ok(rows == 1)
}
