//! Bindings: which human an agent has consented to. The primary key is the agent, so there is at most one.

use forge_types::Timestamp;
use forge_types::agent::{Agent, AgentBinding};
use forge_types::id::AccountId;

use super::{agent_columns, agent_tables};
use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

from_row!(AgentBinding { agent_id, human_id, invite_id, bound_at });

/// Ends an agent's expiry and holds its row until the transaction ends, so that whatever else decides about the agent
/// as a whole waits.
///
/// # Errors
/// Only faults of the database.
pub async fn lock_agent(tx: &mut Tx, agent_id: AccountId) -> StoreResult<()> {
    tx.execute(sql!("UPDATE agents SET expires_unbound_at = NULL WHERE account_id = $1"), params![agent_id])
        .await?;
    Ok(())
}

/// Inserts a binding; false when the agent is bound already.
///
/// # Errors
/// `Constraint` if one is not an agent or the other not a human.
pub async fn insert(tx: &mut Tx, binding: &AgentBinding) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO agent_bindings (agent_id, human_id, invite_id, bound_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (agent_id) DO NOTHING"
            ),
            params![binding.agent_id, binding.human_id, &binding.invite_id, binding.bound_at],
        )
        .await?;
    Ok(rows == 1)
}

/// Returns the binding of an agent.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, agent_id: AccountId) -> StoreResult<Option<AgentBinding>> {
    conn.fetch_optional(
        sql!("SELECT agent_id, human_id, invite_id, bound_at FROM agent_bindings WHERE agent_id = $1"),
        params![agent_id],
    )
    .await
}

struct AgentId {
    agent_id: AccountId,
}
from_row!(AgentId { agent_id });

/// Returns the ids of the agents that are bound to this human, in their order.
///
/// # Errors
/// Only faults of the database.
pub async fn list_agent_ids(conn: &mut Conn, human_id: AccountId) -> StoreResult<Vec<AccountId>> {
    let rows: Vec<AgentId> = conn
        .fetch_all(
            sql!("SELECT agent_id FROM agent_bindings WHERE human_id = $1 ORDER BY agent_id"),
            params![human_id],
        )
        .await?;
    Ok(rows.into_iter().map(|row| row.agent_id).collect())
}

/// Returns the agents that were bound to this human after `since`, newest binding first.
///
/// # Errors
/// Only faults of the database.
pub async fn list_agents_bound_after(
    conn: &mut Conn,
    human_id: AccountId,
    since: Timestamp,
    limit: i64,
) -> StoreResult<Vec<Agent>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            agent_columns!(),
            " FROM ",
            agent_tables!(),
            " WHERE b.human_id = $1 AND b.bound_at > $2 AND a.status <> 'deleted' ORDER BY b.bound_at DESC, a.id LIMIT $3"
        ),
        params![human_id, since, limit],
    )
    .await
}

/// Deletes the binding of an agent to a human; false when there is none.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, agent_id: AccountId, human_id: AccountId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM agent_bindings WHERE agent_id = $1 AND human_id = $2"),
            params![agent_id, human_id],
        )
        .await?;
    Ok(rows == 1)
}
