//! Task grants: what was granted and what was done under it. Neighbours: `chain` for the grants that a token stands on, `end`
//! for revoking them.

use forge_types::grant::{GrantLife, GrantState, GrantTerms, GrantUse, TaskGrant};
use forge_types::id::{AccountId, CredentialId, DelegationPolicyId, GrantId};
use forge_types::page::{Page, PageRequest};
use forge_types::{Timestamp, name};

use crate::accounts::account_ref;
use crate::row::{Column, FromRow, Row, corrupt, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreError, StoreResult, Tx};

mod chain;
mod end;

pub use chain::{GrantLink, find_chain};
pub(crate) use chain::{chain, chain_columns, chain_tables};
pub use end::{Ended, revoke};

/// The columns of a [`TaskGrant`] named `t` with its agent `a`, its delegator `d` and its uses `u`.
macro_rules! grant_columns {
    () => {
        "t.id, t.holder_id, t.task, t.parent_id, t.depth, t.terms, t.needs_consent, t.consented_at, t.created_by, \
         t.created_at, t.expires_at, t.revoked_at, t.revoke_reason, t.policy_id, \
         (SELECT p.name FROM delegation_policies p WHERE p.id = t.policy_id) AS policy_name, \
         a.id AS agent_id, a.kind AS agent_kind, a.login AS agent_login, a.name AS agent_name, \
         a.is_site_admin AS agent_is_site_admin, \
         d.id AS delegator_id, d.kind AS delegator_kind, d.login AS delegator_login, d.name AS delegator_name, \
         d.is_site_admin AS delegator_is_site_admin, u.pushes, u.bytes, u.last_used_at"
    };
}

/// Where the columns of a [`TaskGrant`] come from.
macro_rules! grant_tables {
    () => {
        " FROM task_grants t JOIN accounts a ON a.id = t.agent_id JOIN accounts d ON d.id = t.delegator_id \
         JOIN task_grant_uses u ON u.grant_id = t.id "
    };
}

impl Column for GrantTerms {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        serde_json::from_str(&text).map_err(|_| corrupt(name, &text))
    }
}

impl FromRow for TaskGrant {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            agent: account_ref(row, "agent")?.ok_or_else(|| corrupt("agent_id", "null"))?,
            delegator: account_ref(row, "delegator")?.ok_or_else(|| corrupt("delegator_id", "null"))?,
            holder_id: row.get("holder_id")?,
            task: row.get("task")?,
            parent_id: row.get("parent_id")?,
            depth: row.get("depth")?,
            terms: row.get("terms")?,
            life: GrantLife {
                needs_consent: row.get("needs_consent")?,
                consented_at: row.get("consented_at")?,
                expires_at: row.get("expires_at")?,
                revoked_at: row.get("revoked_at")?,
            },
            revoke_reason: row.get("revoke_reason")?,
            policy: row
                .get::<Option<DelegationPolicyId>>("policy_id")?
                .zip(row.get::<Option<String>>("policy_name")?),
            created_by: row.get("created_by")?,
            created_at: row.get("created_at")?,
            used: GrantUse {
                pushes: row.get("pushes")?,
                bytes: row.get("bytes")?,
                last_used_at: row.get("last_used_at")?,
            },
        })
    }
}

pub(crate) fn terms_text(terms: &GrantTerms) -> StoreResult<String> {
    serde_json::to_string(terms).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Inserts a grant nobody has used yet.
///
/// # Errors
/// `Constraint` if it is not for an agent.
pub async fn insert(tx: &mut Tx, grant: &TaskGrant) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO task_grants (id, agent_id, delegator_id, holder_id, task, parent_id, depth, terms, \
             needs_consent, consented_at, created_by, created_at, expires_at, policy_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        params![
            &grant.id,
            grant.agent.id,
            grant.delegator.id,
            grant.holder_id,
            grant.task.as_str(),
            grant.parent_id.as_ref(),
            grant.depth,
            terms_text(&grant.terms)?,
            grant.life.needs_consent,
            grant.life.consented_at,
            grant.created_by,
            grant.created_at,
            grant.life.expires_at,
            grant.policy.as_ref().map(|(id, _)| *id),
        ],
    )
    .await?;
    tx.execute(sql!("INSERT INTO task_grant_uses (grant_id) VALUES ($1)"), params![&grant.id]).await?;
    Ok(())
}

/// Returns how many grants there ever were for an agent.
///
/// # Errors
/// Only faults of the database.
pub async fn count_for(conn: &mut Conn, agent_id: AccountId) -> StoreResult<i64> {
    struct Count {
        count: i64,
    }
    from_row!(Count { count });
    let found: Count = conn
        .fetch_one(sql!("SELECT COUNT(*) AS count FROM task_grants WHERE agent_id = $1"), params![agent_id])
        .await?;
    Ok(found.count)
}

/// Returns how many grants by a policy an agent has that are not over.
///
/// # Errors
/// Only faults of the database.
pub async fn count_live_by(
    conn: &mut Conn,
    policy: DelegationPolicyId,
    agent_id: AccountId,
    now: Timestamp,
) -> StoreResult<i64> {
    struct Count {
        count: i64,
    }
    from_row!(Count { count });
    let found: Count = conn
        .fetch_one(
            sql!(
                "SELECT COUNT(*) AS count FROM task_grants \
                 WHERE policy_id = $1 AND agent_id = $2 AND revoked_at IS NULL AND expires_at > $3"
            ),
            params![policy, agent_id, now],
        )
        .await?;
    Ok(found.count)
}

/// A grant with what decides about it for one viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewedGrant {
    /// The grant.
    pub grant: TaskGrant,
    /// The human its agent is bound to.
    pub agent_owner_id: Option<AccountId>,
    /// Whether the viewer is an owner of the organization that delegated.
    pub owns_delegator: bool,
}

impl FromRow for ViewedGrant {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            grant: TaskGrant::from_row(row)?,
            agent_owner_id: row.get("agent_owner_id")?,
            owns_delegator: row.get("owns_delegator")?,
        })
    }
}

/// Returns the grant with this id, with what decides about it for `viewer`.
///
/// # Errors
/// Only faults of the database.
pub async fn find_viewed(
    conn: &mut Conn,
    viewer: Option<AccountId>,
    id: &GrantId,
) -> StoreResult<Option<ViewedGrant>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            grant_columns!(),
            ", (SELECT b.human_id FROM agent_bindings b WHERE b.agent_id = t.agent_id) AS agent_owner_id,              EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = t.delegator_id                  AND m.member_id = $1 AND m.role = 'admin') AS owns_delegator",
            grant_tables!(),
            "WHERE t.id = $2"
        ),
        params![viewer, id],
    )
    .await
}

/// Holds a grant alone until the transaction ends, to change it: whoever relies on it has committed, and nobody does
/// meanwhile.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_alone(tx: &mut Tx, id: &GrantId) -> StoreResult<()> {
    if !tx.is_sqlite() {
        let locked = postgres_sql!("SELECT id FROM task_grants WHERE id = $1 FOR NO KEY UPDATE");
        let _: Option<Id> = tx.fetch_optional(locked, params![id]).await?;
    }
    Ok(())
}

struct Id {
    #[expect(dead_code, reason = "that it is there is all that is asked")]
    id: GrantId,
}
from_row!(Id { id });

struct Held {
    number: i64,
}
from_row!(Held { number });

/// Returns whether all these grants stand, and keeps them so until the transaction ends: whoever changes one waits.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_shared(tx: &mut Tx, ids: &[GrantId], now: Timestamp) -> StoreResult<bool> {
    let id = |at: usize| ids.get(at);
    let values = params![id(0), id(1), id(2), now];
    let statement = if tx.is_sqlite() {
        sql!(
            "SELECT COUNT(*) AS number FROM task_grants WHERE (id = $1 OR id = $2 OR id = $3) AND revoked_at IS NULL \
             AND expires_at > $4 AND (needs_consent = FALSE OR consented_at IS NOT NULL)"
        )
    } else {
        postgres_sql!(
            "SELECT COUNT(*) AS number FROM (SELECT id FROM task_grants WHERE (id = $1 OR id = $2 OR id = $3) \
             AND revoked_at IS NULL AND expires_at > $4 AND (needs_consent = FALSE OR consented_at IS NOT NULL) \
             ORDER BY id FOR SHARE) held"
        )
    };
    let held: Held = tx.fetch_one(statement, values).await?;
    Ok(usize::try_from(held.number).is_ok_and(|number| number == ids.len()))
}

/// Whose grants are listed, and which of them.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// Those for this agent.
    pub agent: Option<String>,
    /// Those with exactly this task.
    pub task: Option<String>,
    /// Those in this state.
    pub state: Option<GrantState>,
}

/// Returns a page of the grants that `viewer` is part of, newest first: as the agent, as the delegator, as whoever made
/// it, as the human of the agent or of a delegating agent, or as an owner of the delegating organization. A site
/// administrator sees all.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    viewer: AccountId,
    sees_all: bool,
    filter: &GrantFilter,
    page: PageRequest,
    now: Timestamp,
) -> StoreResult<Page<TaskGrant>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            grant_columns!(),
            ", COUNT(*) OVER () AS total",
            grant_tables!(),
            "WHERE (CAST($2 AS BOOLEAN) = TRUE OR t.agent_id = $1 OR t.delegator_id = $1 OR t.created_by = $1 \
                 OR EXISTS (SELECT 1 FROM agent_bindings b WHERE b.human_id = $1 \
                     AND (b.agent_id = t.agent_id OR b.agent_id = t.delegator_id)) \
                 OR EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = t.delegator_id \
                     AND m.member_id = $1 AND m.role = 'admin')) \
             AND (CAST($3 AS TEXT) IS NULL OR a.login_key = $3) AND (CAST($4 AS TEXT) IS NULL OR t.task = $4) \
             AND (CAST($5 AS TEXT) IS NULL OR $5 = CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' \
                 WHEN t.expires_at <= $6 THEN 'expired' \
                 WHEN t.needs_consent = TRUE AND t.consented_at IS NULL THEN 'pending_consent' ELSE 'active' END) \
             ORDER BY t.created_at DESC, t.id LIMIT $7 OFFSET $8"
        ),
        params![
            viewer,
            sees_all,
            filter.agent.as_deref().map(name::key),
            filter.task.as_deref(),
            filter.state.map(GrantState::as_str),
            now,
        ],
        page,
    )
    .await
}

/// Writes terms and end of a grant.
///
/// # Errors
/// Only faults of the database.
pub async fn update(tx: &mut Tx, grant: &TaskGrant) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE task_grants SET terms = $2, expires_at = $3, task = $4, consented_at = $5, needs_consent = $6 \
             WHERE id = $1"
        ),
        params![
            &grant.id,
            terms_text(&grant.terms)?,
            grant.life.expires_at,
            grant.task.as_str(),
            grant.life.consented_at,
            grant.life.needs_consent,
        ],
    )
    .await?;
    Ok(())
}

/// Notes that the agent agreed; false if it had, or the grant is over.
///
/// # Errors
/// Only faults of the database.
pub async fn consent(tx: &mut Tx, id: &GrantId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE task_grants SET consented_at = $2 WHERE id = $1 AND needs_consent = TRUE \
                 AND consented_at IS NULL AND revoked_at IS NULL AND expires_at > $2"
            ),
            params![id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Counts a push under a grant, unless that would exceed its budgets; returns whether it did not.
///
/// # Errors
/// Only faults of the database.
pub async fn count_push(
    tx: &mut Tx,
    id: &GrantId,
    terms: &GrantTerms,
    bytes: i64,
    now: Timestamp,
) -> StoreResult<bool> {
    let budgets = terms.constraints.budgets;
    let rows = tx
        .execute(
            sql!(
                "UPDATE task_grant_uses SET pushes = pushes + 1, bytes = bytes + $2, last_used_at = $3 \
                 WHERE grant_id = $1 AND (CAST($4 AS BIGINT) IS NULL OR pushes < $4) \
                 AND (CAST($5 AS BIGINT) IS NULL OR bytes + $2 <= $5)"
            ),
            params![id, bytes, now, budgets.pushes, budgets.bytes],
        )
        .await?;
    Ok(rows == 1)
}

/// Notes when the grant of a credential was last used; batched, so that nothing writes on a read.
///
/// # Errors
/// Only faults of the database.
pub(crate) async fn touch(tx: &mut Tx, credential: CredentialId, at: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE task_grant_uses SET last_used_at = $2 WHERE (last_used_at IS NULL OR last_used_at < $2) \
             AND grant_id = (SELECT c.grant_id FROM credentials c WHERE c.id = $1)"
        ),
        params![credential, at],
    )
    .await?;
    Ok(())
}
