//! What waits for a human, and what became of it.

use forge_types::approval::{Approval, ApprovalState, Asked};
use forge_types::id::{AccountId, ApprovalId, CredentialId, GrantId, RepositoryId};
use forge_types::page::{Page, PageRequest};
use forge_types::{Permission, Timestamp, name};

use crate::accounts::account_ref;
use crate::repositories::permission_rank;
use crate::row::{Column, FromRow, Row, corrupt, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreError, StoreResult, Tx};

/// The columns of an [`Approval`] named `p` with its requester `a` and whoever decided `d`.
macro_rules! approval_columns {
    () => {
        "p.id, p.state, p.acting_id, p.credential_id, p.grant_id, p.repository_id, p.organization_id, p.asked, p.digest, p.rule, p.reason, \
         p.created_at, p.expires_at, p.decided_at, p.comment, p.ended_at, p.outcome, \
         a.id AS requester_id, a.kind AS requester_kind, a.login AS requester_login, a.name AS requester_name, \
         a.is_site_admin AS requester_is_site_admin, \
         d.id AS decider_id, d.kind AS decider_kind, d.login AS decider_login, d.name AS decider_name, \
         d.is_site_admin AS decider_is_site_admin"
    };
}

/// Where the columns of an [`Approval`] come from.
macro_rules! approval_tables {
    () => {
        " FROM approvals p JOIN accounts a ON a.id = p.requester_id LEFT JOIN accounts d ON d.id = p.decided_by "
    };
}

/// What decides about the approval `p` for the account `$1`: of its repository `r`, whose rank follows, or of its organization.
macro_rules! viewer_columns {
    () => {
        "(SELECT b.human_id FROM agent_bindings b WHERE b.agent_id = p.requester_id) AS requester_owner_id, \
         (SELECT g.delegator_id FROM agents g WHERE g.account_id = p.requester_id AND p.grant_id IS NULL) AS lender_id, \
         (SELECT t.delegator_id FROM task_grants t WHERE t.id = p.grant_id) AS delegator_id, \
         (SELECT t.holder_id FROM task_grants t WHERE t.id = p.grant_id) AS holder_id, \
         CASE WHEN r.id IS NULL THEN (SELECT CASE m.role WHEN 'admin' THEN 5 END FROM organization_members m \
             WHERE m.organization_id = p.organization_id AND m.member_id = $1) ELSE "
    };
}

impl Column for Asked {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        serde_json::from_str(&text).map_err(|_| corrupt(name, &text))
    }
}

impl FromRow for Approval {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            stored_state: row.get("state")?,
            requester: account_ref(row, "requester")?.ok_or_else(|| corrupt("requester_id", "null"))?,
            acting_id: row.get("acting_id")?,
            credential_id: row.get("credential_id")?,
            grant_id: row.get("grant_id")?,
            repository_id: row.get("repository_id")?,
            organization_id: row.get("organization_id")?,
            asked: row.get("asked")?,
            digest: row.get("digest")?,
            rule: row.get("rule")?,
            reason: row.get("reason")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            decided_by: account_ref(row, "decider")?,
            decided_at: row.get("decided_at")?,
            comment: row.get("comment")?,
            ended_at: row.get("ended_at")?,
            outcome: row.get("outcome")?,
        })
    }
}

/// An approval with what decides about it for one viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewedApproval {
    /// The approval.
    pub approval: Approval,
    /// The human whom the agent that asked is bound to.
    pub requester_owner_id: Option<AccountId>,
    /// Who made the grant that it was asked under.
    pub delegator_id: Option<AccountId>,
    /// Whose rights that grant is about.
    pub holder_id: Option<AccountId>,
    /// Whose rights whoever asked without a grant uses now, if not its own.
    pub lender_id: Option<AccountId>,
    /// What the viewer may do in the repository.
    pub permission: Option<Permission>,
}

impl FromRow for ViewedApproval {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let rank: Option<i64> = row.get("permission")?;
        Ok(Self {
            approval: Approval::from_row(row)?,
            requester_owner_id: row.get("requester_owner_id")?,
            delegator_id: row.get("delegator_id")?,
            holder_id: row.get("holder_id")?,
            lender_id: row.get("lender_id")?,
            permission: rank.and_then(Permission::from_rank),
        })
    }
}

/// What a new approval is made of.
#[derive(Clone, Debug)]
pub struct NewApproval<'a> {
    /// Its id.
    pub id: &'a ApprovalId,
    /// Who asks.
    pub requester: AccountId,
    /// The human who asks through a switch session.
    pub acting: Option<AccountId>,
    /// The credential it is asked with.
    pub credential: CredentialId,
    /// The grant it is asked under.
    pub grant: Option<&'a GrantId>,
    /// The repository it is about.
    pub repository: Option<RepositoryId>,
    /// The organization it is about.
    pub organization: Option<AccountId>,
    /// What is asked for.
    pub asked: &'a Asked,
    /// The digest of who asks for what.
    pub digest: &'a str,
    /// Which rule asks for a human.
    pub rule: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When it is over if nobody decides.
    pub expires_at: Timestamp,
}

/// Inserts an approval that waits.
///
/// # Errors
/// `Conflict` if the same request waits already.
pub async fn insert(tx: &mut Tx, new: &NewApproval<'_>, now: Timestamp) -> StoreResult<()> {
    let asked = serde_json::to_string(new.asked).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    tx.execute(
        sql!(
            "INSERT INTO approvals (id, state, requester_id, acting_id, credential_id, grant_id, repository_id, asked, \
             digest, rule, reason, created_at, expires_at, organization_id) \
             VALUES ($1, 'pending', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
        params![
            new.id,
            new.requester,
            new.acting,
            new.credential,
            new.grant,
            new.repository,
            asked,
            new.digest,
            new.rule,
            new.reason,
            now,
            new.expires_at,
            new.organization,
        ],
    )
    .await?;
    Ok(())
}

/// Returns what is not decided or done of this digest, be its time over or not.
///
/// # Errors
/// Only faults of the database.
pub async fn find_open(conn: &mut Conn, digest: &str) -> StoreResult<Option<Approval>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            approval_columns!(),
            approval_tables!(),
            "WHERE p.digest = $1 AND p.state IN ('pending', 'approved')"
        ),
        params![digest],
    )
    .await
}

/// Returns an approval.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, id: &ApprovalId) -> StoreResult<Option<Approval>> {
    conn.fetch_optional(
        sql!("SELECT ", approval_columns!(), approval_tables!(), "WHERE p.id = $1"),
        params![id],
    )
    .await
}

/// Returns an approval with what decides about it for `viewer`.
///
/// # Errors
/// Only faults of the database.
pub async fn find_viewed(
    conn: &mut Conn,
    viewer: Option<AccountId>,
    id: &ApprovalId,
) -> StoreResult<Option<ViewedApproval>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            approval_columns!(),
            ", ",
            viewer_columns!(),
            permission_rank!(),
            " END AS permission",
            approval_tables!(),
            "LEFT JOIN repositories r ON r.id = p.repository_id WHERE p.id = $2"
        ),
        params![viewer, id],
    )
    .await
}

/// Which approvals are listed.
#[derive(Clone, Debug, Default)]
pub struct ApprovalFilter {
    /// Those in this state.
    pub state: Option<ApprovalState>,
    /// Those asked for by this agent.
    pub requester: Option<String>,
    /// Those asked for under this grant.
    pub grant: Option<GrantId>,
}

/// Returns a page of the approvals that `viewer` is part of, newest first: it asked, is the human of who asked, delegated,
/// or may write to the repository. A site administrator sees all.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    viewer: AccountId,
    sees_all: bool,
    filter: &ApprovalFilter,
    page: PageRequest,
    now: Timestamp,
) -> StoreResult<Page<ViewedApproval>> {
    conn.fetch_page(
        sql!(
            "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
            approval_columns!(),
            ", a.login_key AS requester_key, ",
            viewer_columns!(),
            permission_rank!(),
            " END AS permission",
            approval_tables!(),
            "LEFT JOIN repositories r ON r.id = p.repository_id WHERE CAST($3 AS TEXT) IS NULL OR $3 = CASE \
             WHEN p.state IN ('pending', 'approved') AND p.expires_at <= $6 THEN 'expired' ELSE p.state END) v \
             WHERE (CAST($2 AS BOOLEAN) = TRUE OR v.requester_id = $1 OR v.requester_owner_id = $1 \
                 OR v.delegator_id = $1 OR v.holder_id = $1 OR v.permission >= 3) \
             AND (CAST($4 AS TEXT) IS NULL OR v.requester_key = $4) AND (CAST($5 AS TEXT) IS NULL OR v.grant_id = $5) \
             ORDER BY v.created_at DESC, v.id LIMIT $7 OFFSET $8"
        ),
        params![
            viewer,
            sees_all,
            filter.state.map(ApprovalState::as_str),
            filter.requester.as_deref().map(name::key),
            filter.grant.as_ref(),
            now,
        ],
        page,
    )
    .await
}

/// Returns what an account asked for and is not over yet, in the order of asking.
///
/// # Errors
/// Only faults of the database.
pub async fn list_open_of(
    conn: &mut Conn,
    requester: AccountId,
    now: Timestamp,
) -> StoreResult<Vec<Approval>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            approval_columns!(),
            approval_tables!(),
            "WHERE p.requester_id = $1 AND p.state IN ('pending', 'approved') AND p.expires_at > $2 ORDER BY p.created_at, p.id"
        ),
        params![requester, now],
    )
    .await
}

/// Returns some of those that wait although their time is over, or although what they rest on has ended: the agent, the
/// grant, the credential or the repository was stopped or taken away.
///
/// # Errors
/// Only faults of the database.
pub async fn list_void(conn: &mut Conn, limit: i64, now: Timestamp) -> StoreResult<Vec<Approval>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            approval_columns!(),
            approval_tables!(),
            "JOIN credentials c ON c.id = p.credential_id LEFT JOIN task_grants t ON t.id = p.grant_id \
             WHERE p.state IN ('pending', 'approved') AND (p.expires_at <= $1 OR a.status <> 'active' \
                 OR (p.repository_id IS NULL AND p.organization_id IS NULL) \
                 OR c.revoked_at IS NOT NULL OR t.revoked_at IS NOT NULL OR t.expires_at <= $1) \
             ORDER BY p.expires_at, p.id LIMIT $2"
        ),
        params![now, limit],
    )
    .await
}

/// Holds an approval alone until the transaction ends, and returns it as it is then.
///
/// # Errors
/// Only faults of the database.
pub async fn hold(tx: &mut Tx, id: &ApprovalId) -> StoreResult<Option<Approval>> {
    if !tx.is_sqlite() {
        let locked = postgres_sql!("SELECT id FROM approvals WHERE id = $1 FOR NO KEY UPDATE");
        let _: Option<Id> = tx.fetch_optional(locked, params![id]).await?;
    }
    find(tx, id).await
}

struct Id {
    #[expect(dead_code, reason = "that it is there is all that is asked")]
    id: ApprovalId,
}
from_row!(Id { id });

/// What becomes of an approval.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Its new state.
    pub state: ApprovalState,
    /// Who decides.
    pub decided_by: Option<AccountId>,
    /// What the human says.
    pub comment: Option<&'a str>,
    /// Why it failed or is cancelled; of a request that was made again, its id.
    pub outcome: Option<&'a str>,
    /// When it is over from now on; none if that stays as it is.
    pub expires_at: Option<Timestamp>,
}

/// Changes the state of an approval that is held; false if it was final.
///
/// # Errors
/// Only faults of the database.
pub async fn turn(tx: &mut Tx, id: &ApprovalId, turn: &Turn<'_>, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE approvals SET state = $2, decided_by = COALESCE(CAST($3 AS BIGINT), decided_by), \
                 decided_at = CASE WHEN CAST($3 AS BIGINT) IS NULL THEN decided_at ELSE $6 END, \
                 comment = COALESCE(CAST($4 AS TEXT), comment), outcome = $5, \
                 expires_at = COALESCE(CAST($7 AS BIGINT), expires_at), \
                 ended_at = CASE WHEN $2 = 'approved' THEN NULL ELSE CAST($6 AS BIGINT) END \
                 WHERE id = $1 AND state IN ('pending', 'approved')"
            ),
            params![
                id,
                turn.state.as_str(),
                turn.decided_by,
                turn.comment,
                turn.outcome,
                now,
                turn.expires_at
            ],
        )
        .await?;
    Ok(rows == 1)
}
