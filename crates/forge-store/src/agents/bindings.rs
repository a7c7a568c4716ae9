//! Bindings: which human an agent has consented to. The primary key is the agent, so there is at most one.

use forge_types::agent::AgentBinding;
use forge_types::id::{AccountId, InviteId};

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

from_row!(AgentBinding { agent_id, human_id, bound_at });

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
pub async fn insert(tx: &mut Tx, binding: &AgentBinding, invite_id: &InviteId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO agent_bindings (agent_id, human_id, invite_id, bound_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (agent_id) DO NOTHING"
            ),
            params![binding.agent_id, binding.human_id, invite_id, binding.bound_at],
        )
        .await?;
    Ok(rows == 1)
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
