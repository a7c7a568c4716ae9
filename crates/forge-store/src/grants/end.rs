//! Ending grants: one, or those that belong together.

use forge_types::Timestamp;
use forge_types::id::{AccountId, DelegationPolicyId, GrantId};

use crate::row::from_row;
use crate::statement::{params, postgres_sql, sql};
use crate::{StoreResult, Tx};

/// The grants that `$1` to `$4` and `$6` name, as far as they are not over at `$5`, with all that are parts of them.
macro_rules! ended_ids {
    () => {
        "WITH RECURSIVE ended (id) AS (SELECT t.id FROM task_grants t WHERE t.revoked_at IS NULL AND t.expires_at > $5 \
             AND (CAST($1 AS TEXT) IS NULL OR t.id = $1) AND (CAST($2 AS BIGINT) IS NULL OR t.agent_id = $2) \
             AND (CAST($3 AS BIGINT) IS NULL OR t.delegator_id = $3 \
                 OR (CAST($4 AS TEXT) IS NOT NULL AND t.created_by = $3)) \
             AND (CAST($4 AS TEXT) IS NULL OR t.task = $4) AND (CAST($6 AS BIGINT) IS NULL OR t.policy_id = $6) \
         UNION SELECT t.id FROM task_grants t JOIN ended e ON t.parent_id = e.id) SELECT id FROM ended"
    };
}

/// Which grants are ended together.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// One.
    Grant(&'a GrantId),
    /// Those for an agent.
    OfAgent(AccountId),
    /// Those an account delegated.
    ByDelegator(AccountId),
    /// Those an account delegated to one agent.
    Between(AccountId, AccountId),
    /// Those that came by a policy.
    ByPolicy(DelegationPolicyId),
    /// Those of one agent that came by a policy.
    ByPolicyFor(DelegationPolicyId, AccountId),
    /// Those with this task that an account delegated or made.
    OfTask(&'a str, AccountId),
}

/// Ends grants that are not over, with all that are parts of them; returns those that ended. Tokens for them end with
/// them, because every use of one looks at its grants.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke(
    tx: &mut Tx,
    which: Ended<'_>,
    reason: &str,
    now: Timestamp,
) -> StoreResult<Vec<GrantId>> {
    let (grant, agent, delegator, task, policy) = match which {
        Ended::Grant(id) => (Some(id), None, None, None, None),
        Ended::OfAgent(agent) => (None, Some(agent), None, None, None),
        Ended::ByDelegator(delegator) => (None, None, Some(delegator), None, None),
        Ended::Between(delegator, agent) => (None, Some(agent), Some(delegator), None, None),
        Ended::ByPolicy(policy) => (None, None, None, None, Some(policy)),
        Ended::ByPolicyFor(policy, agent) => (None, Some(agent), None, None, Some(policy)),
        Ended::OfTask(task, delegator) => (None, None, Some(delegator), Some(task), None),
    };
    let values = params![grant, agent, delegator, task, now, policy];
    if !tx.is_sqlite() {
        // In the order in which whoever relies on several of them holds them.
        let held = postgres_sql!(
            "SELECT id FROM task_grants WHERE id IN (",
            ended_ids!(),
            ") ORDER BY id FOR NO KEY UPDATE"
        );
        let _: Vec<Revoked> = tx.fetch_all(held, values.clone()).await?;
    }
    let mut values = values;
    values.extend(params![reason]);
    let ended: Vec<Revoked> = tx
        .fetch_all(
            sql!(
                "UPDATE task_grants SET revoked_at = $5, revoke_reason = $7 WHERE revoked_at IS NULL AND id IN (",
                ended_ids!(),
                ") RETURNING id"
            ),
            values,
        )
        .await?;
    Ok(ended.into_iter().map(|revoked| revoked.id).collect())
}

struct Revoked {
    id: GrantId,
}
from_row!(Revoked { id });
