//! Collaborators: accounts that were given a permission in one repository.

use forge_types::Permission;
use forge_types::Timestamp;
use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// An account and its permission in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collaborator {
    /// The account.
    pub account: AccountRef,
    /// The strongest permission it has there, from wherever.
    pub permission: Permission,
}

impl FromRow for Collaborator {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: account_ref(row, "account")?.ok_or_else(|| corrupt("account_id", "null"))?,
            permission: row
                .get::<Option<Permission>>("permission")?
                .ok_or_else(|| corrupt("permission", "null"))?,
        })
    }
}

/// Who has access to a repository, and whence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CollaboratorOrigin {
    /// Everyone, from wherever.
    #[default]
    All,
    /// Those who were added to the repository itself.
    Direct,
    /// Those of them who are not members of the owning organization.
    Outside,
}

/// Accounts with a permission in repository `$1`, one row per source.
macro_rules! sources_of_access {
    () => {
        "SELECT r.owner_id AS account_id, 5 AS rank, 0 AS direct FROM repositories r \
             JOIN accounts o ON o.id = r.owner_id WHERE r.id = $1 AND o.kind <> 'organization' \
         UNION ALL SELECT m.member_id, CASE m.role WHEN 'admin' THEN 5 ELSE g.default_permission END, 0 \
             FROM repositories r JOIN organization_members m ON m.organization_id = r.owner_id \
             JOIN organizations g ON g.account_id = r.owner_id \
             WHERE r.id = $1 AND (m.role = 'admin' OR g.default_permission IS NOT NULL) \
         UNION ALL SELECT tm.member_id, tr.permission, 0 FROM team_repositories tr \
             JOIN team_members tm ON tm.team_id = tr.team_id WHERE tr.repository_id = $1 \
         UNION ALL SELECT c.account_id, c.permission, 1 FROM collaborators c WHERE c.repository_id = $1"
    };
}

/// Returns the accounts with access to a repository, by login.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    repository: RepositoryId,
    origin: CollaboratorOrigin,
    permission: Option<Permission>,
    page: PageRequest,
) -> StoreResult<Page<Collaborator>> {
    let (direct, outside) = (origin != CollaboratorOrigin::All, origin == CollaboratorOrigin::Outside);
    conn.fetch_page(
        sql!(
            "SELECT a.id AS account_id, a.kind AS account_kind, a.login AS account_login, a.name AS account_name, \
             a.is_site_admin AS account_is_site_admin, s.permission, COUNT(*) OVER () AS total FROM ( \
                 SELECT account_id, CAST(MAX(rank) AS BIGINT) AS permission, MAX(direct) AS direct FROM (",
            sources_of_access!(),
            ") u GROUP BY account_id) s JOIN accounts a ON a.id = s.account_id \
             WHERE a.status <> 'deleted' AND ($2 = FALSE OR s.direct = 1) \
             AND ($3 = FALSE OR NOT EXISTS (SELECT 1 FROM organization_members m \
                 JOIN repositories r ON r.owner_id = m.organization_id \
                 WHERE r.id = $1 AND m.member_id = a.id)) \
             AND (CAST($4 AS BIGINT) IS NULL OR s.permission = $4) ORDER BY a.login_key LIMIT $5 OFFSET $6"
        ),
        params![
            repository,
            direct,
            outside,
            permission.map(Permission::rank)],
        page,
    )
    .await
}

/// Returns the strongest permission `account` has in a repository, from wherever.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    repository: RepositoryId,
    account: AccountId,
) -> StoreResult<Option<Permission>> {
    let row: Option<Held> = conn
        .fetch_optional(
            sql!(
                "SELECT CAST(MAX(rank) AS BIGINT) AS permission FROM (",
                sources_of_access!(),
                ") u WHERE account_id = $2"
            ),
            params![repository, account],
        )
        .await?;
    Ok(row.and_then(|row| row.0))
}

struct Held(Option<Permission>);

impl FromRow for Held {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        row.get("permission").map(Self)
    }
}

/// Gives `account` a permission in a repository, in place of the one it was given before; returns that one.
///
/// # Errors
/// `Constraint` if the account cannot collaborate, as organizations cannot.
pub async fn upsert(
    tx: &mut Tx,
    repository: RepositoryId,
    account: &AccountRef,
    permission: Permission,
    by: AccountId,
    now: Timestamp,
) -> StoreResult<Option<Permission>> {
    let before: Option<Held> = tx
        .fetch_optional(
            sql!("SELECT permission FROM collaborators WHERE repository_id = $1 AND account_id = $2"),
            params![repository, account.id],
        )
        .await?;
    tx.execute(
        sql!(
            "INSERT INTO collaborators (repository_id, account_id, account_kind, permission, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (repository_id, account_id) DO UPDATE SET permission = excluded.permission, \
             permission_before = NULL, invite_id = NULL"
        ),
        params![repository, account.id, account.kind.as_str(), permission.rank(), by, now],
    )
    .await?;
    Ok(before.and_then(|row| row.0))
}

/// Takes away what `account` was given in a repository; returns whether there was anything.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, repository: RepositoryId, account: AccountId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM collaborators WHERE repository_id = $1 AND account_id = $2"),
            params![repository, account],
        )
        .await?;
    Ok(rows == 1)
}
