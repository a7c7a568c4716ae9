//! Organizations. Members are in `members`, teams in `teams`.

use forge_types::account::Account;
use forge_types::id::AccountId;
use forge_types::organization::{Organization, OrganizationRole};
use forge_types::page::{Page, PageRequest};
use forge_types::{Permission, Timestamp, name};

use crate::access_groups;

use crate::row::{FromRow, Row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// The columns of an [`Organization`]: account `a`, organization `g`.
macro_rules! organization_columns {
    () => {
        "a.id, a.kind, a.login, a.name, a.email, a.is_email_public, a.description, a.status, a.is_site_admin, a.created_by, \
         a.created_at, a.updated_at, g.default_permission, g.members_can_create_repositories"
    };
}
pub(crate) use organization_columns;

impl FromRow for Organization {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: Account::from_row(row)?,
            default_permission: row.get("default_permission")?,
            members_can_create_repositories: row.get("members_can_create_repositories")?,
        })
    }
}

/// An organization, what the caller is in it, and what its profile counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationRecord {
    /// The organization.
    pub organization: Organization,
    /// What the caller is in it.
    pub role: Option<OrganizationRole>,
    /// How many public repositories it owns.
    pub public_repositories: i64,
    /// How many others it owns.
    pub private_repositories: i64,
    /// The bytes of all its repositories.
    pub size_bytes: i64,
}

impl FromRow for OrganizationRecord {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            organization: Organization::from_row(row)?,
            role: row.get("role")?,
            public_repositories: row.get("public_repositories")?,
            private_repositories: row.get("private_repositories")?,
            size_bytes: row.get("size_bytes")?,
        })
    }
}

/// How many repositories the account `a` owns and how large they are.
macro_rules! repository_counts {
    () => {
        "(SELECT COUNT(*) FROM repositories r WHERE r.owner_id = a.id AND r.visibility = 'public') \
             AS public_repositories, \
         (SELECT COUNT(*) FROM repositories r WHERE r.owner_id = a.id AND r.visibility <> 'public') \
             AS private_repositories, \
         (SELECT CAST(COALESCE(SUM(r.size_bytes), 0) AS BIGINT) FROM repositories r WHERE r.owner_id = a.id) \
             AS size_bytes"
    };
}
pub(crate) use repository_counts;

/// Returns the organization `login`, with what `caller` is in it.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_login(
    conn: &mut Conn,
    caller: Option<AccountId>,
    login: &str,
) -> StoreResult<Option<OrganizationRecord>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            organization_columns!(),
            ", ",
            repository_counts!(),
            ", (SELECT m.role FROM organization_members m \
                 WHERE m.organization_id = a.id AND m.member_id = $1) AS role \
             FROM accounts a JOIN organizations g ON g.account_id = a.id \
             WHERE a.login_key = $2 AND a.status <> 'deleted'"
        ),
        params![caller, name::key(login)],
    )
    .await
}

/// Returns the organization with this id, with what `caller` is in it.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    caller: Option<AccountId>,
    id: AccountId,
) -> StoreResult<Option<OrganizationRecord>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            organization_columns!(),
            ", ",
            repository_counts!(),
            ", (SELECT m.role FROM organization_members m \
                 WHERE m.organization_id = a.id AND m.member_id = $1) AS role \
             FROM accounts a JOIN organizations g ON g.account_id = a.id \
             WHERE a.id = $2 AND a.status <> 'deleted'"
        ),
        params![caller, id],
    )
    .await
}

/// Inserts the organization's part beside its account, with the access groups that every organization has.
///
/// # Errors
/// `Constraint` if the account is no organization.
pub async fn insert(
    tx: &mut Tx,
    id: AccountId,
    default_permission: Option<Permission>,
    members_can_create_repositories: bool,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO organizations (account_id, default_permission, members_can_create_repositories) \
             VALUES ($1, $2, $3)"
        ),
        params![id, default_permission.map(Permission::rank), members_can_create_repositories],
    )
    .await?;
    access_groups::insert_built_in(tx, id, now).await
}

/// Writes the settings; the profile is written with the account.
///
/// # Errors
/// Only faults of the database.
pub async fn update(tx: &mut Tx, organization: &Organization) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE organizations SET default_permission = $2, members_can_create_repositories = $3 \
             WHERE account_id = $1"
        ),
        params![
            organization.account.id,
            organization.default_permission.map(Permission::rank),
            organization.members_can_create_repositories
        ],
    )
    .await?;
    Ok(())
}

/// Returns all organizations after `since`, by id.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, since: AccountId, limit: i64) -> StoreResult<Vec<Organization>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            organization_columns!(),
            " FROM organizations g JOIN accounts a ON a.id = g.account_id \
             WHERE a.id > $1 AND a.status <> 'deleted' ORDER BY a.id LIMIT $2"
        ),
        params![since, limit],
    )
    .await
}

/// Returns the organizations `member` belongs to, by login: all of them, or those it shows publicly.
///
/// # Errors
/// Only faults of the database.
pub async fn list_of_member(
    conn: &mut Conn,
    member: AccountId,
    only_public: bool,
    page: PageRequest,
) -> StoreResult<Page<Organization>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            organization_columns!(),
            ", COUNT(*) OVER () AS total FROM organization_members m JOIN organizations g ON g.account_id = m.organization_id \
             JOIN accounts a ON a.id = g.account_id \
             WHERE m.member_id = $1 AND ($2 = FALSE OR m.is_public = TRUE) AND a.status <> 'deleted' \
             ORDER BY a.login_key LIMIT $3 OFFSET $4"
        ),
        params![member, only_public],
        page,
    )
    .await
}
