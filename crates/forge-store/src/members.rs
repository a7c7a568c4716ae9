//! Members of organizations.

use forge_types::Timestamp;
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::id::AccountId;
use forge_types::organization::{Organization, OrganizationRole};
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::organizations::organization_columns;
use crate::row::{FromRow, Row, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A member of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account: AccountRef,
    /// What it is there.
    pub role: OrganizationRole,
    /// Whether it shows its membership to everyone.
    pub is_public: bool,
}

impl FromRow for Member {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: account_ref(row, "account")?.ok_or_else(|| corrupt("account_id", "null"))?,
            role: row.get("role")?,
            is_public: row.get("is_public")?,
        })
    }
}

/// The columns of a [`Member`]: member `m`, account `a`.
macro_rules! member_columns {
    () => {
        "a.id AS account_id, a.kind AS account_kind, a.login AS account_login, a.name AS account_name, \
         a.is_site_admin AS account_is_site_admin, m.role, m.is_public"
    };
}

/// An organization and what an account is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization: Organization,
    /// What the account is there.
    pub role: OrganizationRole,
}

impl FromRow for Membership {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self { organization: Organization::from_row(row)?, role: row.get("role")? })
    }
}

/// Which members to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// Only those of this role.
    pub role: Option<OrganizationRole>,
    /// Only those who show their membership to everyone.
    pub only_public: bool,
    /// Only humans, or only agents.
    pub kind: Option<AccountKind>,
}

/// Returns the members of an organization, by login.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    organization: AccountId,
    filter: MemberFilter,
    page: PageRequest,
) -> StoreResult<Page<Member>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            member_columns!(),
            ", COUNT(*) OVER () AS total FROM organization_members m JOIN accounts a ON a.id = m.member_id \
             WHERE m.organization_id = $1 AND (CAST($2 AS TEXT) IS NULL OR m.role = $2) \
             AND ($3 = FALSE OR m.is_public = TRUE) AND (CAST($4 AS TEXT) IS NULL OR m.member_kind = $4) \
             AND a.status <> 'deleted' ORDER BY a.login_key LIMIT $5 OFFSET $6"
        ),
        params![
            organization,
            filter.role.map(OrganizationRole::as_str),
            filter.only_public,
            filter.kind.map(AccountKind::as_str)
        ],
        page,
    )
    .await
}

/// Returns a member of an organization.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    organization: AccountId,
    member: AccountId,
) -> StoreResult<Option<Member>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            member_columns!(),
            " FROM organization_members m JOIN accounts a ON a.id = m.member_id \
             WHERE m.organization_id = $1 AND m.member_id = $2"
        ),
        params![organization, member],
    )
    .await
}

/// Returns the organizations `member` belongs to and what it is in each, by login.
///
/// # Errors
/// Only faults of the database.
pub async fn list_memberships(
    conn: &mut Conn,
    member: AccountId,
    page: PageRequest,
) -> StoreResult<Page<Membership>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            organization_columns!(),
            ", m.role, COUNT(*) OVER () AS total FROM organization_members m JOIN organizations g ON g.account_id = m.organization_id \
             JOIN accounts a ON a.id = g.account_id WHERE m.member_id = $1 AND a.status <> 'deleted' \
             ORDER BY a.login_key LIMIT $2 OFFSET $3"
        ),
        params![member],
        page,
    )
    .await
}

/// Makes `account` a member, or gives a member another role.
///
/// # Errors
/// `Constraint` if an agent is to be an owner, or the account is an organization.
pub async fn upsert(
    tx: &mut Tx,
    organization: AccountId,
    account: &AccountRef,
    role: OrganizationRole,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO organization_members (organization_id, member_id, member_kind, role, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organization_id, member_id) DO UPDATE SET role = excluded.role, \
             invite_id = NULL"
        ),
        params![organization, account.id, account.kind.as_str(), role.as_str(), now],
    )
    .await?;
    Ok(())
}

/// Makes `account` a member unless it is one; returns whether it was made one.
///
/// # Errors
/// `Constraint` if the account is an organization.
pub async fn insert_if_absent(
    tx: &mut Tx,
    organization: AccountId,
    account: &AccountRef,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO organization_members (organization_id, member_id, member_kind, role, created_at) \
                 VALUES ($1, $2, $3, 'member', $4) ON CONFLICT (organization_id, member_id) DO NOTHING"
            ),
            params![organization, account.id, account.kind.as_str(), now],
        )
        .await?;
    Ok(rows == 1)
}

/// Shows or hides a membership; returns whether there is one.
///
/// # Errors
/// Only faults of the database.
pub async fn update_publicity(
    tx: &mut Tx,
    organization: AccountId,
    member: AccountId,
    is_public: bool,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE organization_members SET is_public = $3 WHERE organization_id = $1 AND member_id = $2"
            ),
            params![organization, member, is_public],
        )
        .await?;
    Ok(rows == 1)
}

/// Removes a member from an organization and its teams; returns whether it was one. What it was given as a
/// collaborator of single repositories stays.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, organization: AccountId, member: AccountId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM organization_members WHERE organization_id = $1 AND member_id = $2"),
            params![organization, member],
        )
        .await?;
    Ok(rows == 1)
}

/// Holds the members of an organization still until the transaction ends, so that two changes cannot each take
/// what the other leaves.
///
/// # Errors
/// Only faults of the database.
pub async fn lock(tx: &mut Tx, organization: AccountId) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE organizations SET account_id = account_id WHERE account_id = $1"),
        params![organization],
    )
    .await?;
    Ok(())
}

/// Returns how many owners an organization has who may act.
///
/// # Errors
/// Only faults of the database.
pub async fn count_owners(conn: &mut Conn, organization: AccountId) -> StoreResult<i64> {
    struct Count {
        owners: i64,
    }
    from_row!(Count { owners });
    let count: Count = conn
        .fetch_one(
            sql!(
                "SELECT COUNT(*) AS owners FROM organization_members m JOIN accounts a ON a.id = m.member_id \
                 WHERE m.organization_id = $1 AND m.role = 'admin' AND a.status <> 'deleted'"
            ),
            params![organization],
        )
        .await?;
    Ok(count.owners)
}

/// Returns the account of `login` and what it is in an organization.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_login(
    conn: &mut Conn,
    organization: AccountId,
    login: &str,
) -> StoreResult<Option<(Account, Option<Member>)>> {
    let Some(account) = crate::accounts::find_by_login(conn, login).await? else { return Ok(None) };
    let member = find(conn, organization, account.id).await?;
    Ok(Some((account, member)))
}
