//! Lists of repositories. INVARIANT: every list applies `VisibleRepositories`, so that it holds exactly what the caller
//! could read one by one.

use forge_types::id::AccountId;
use forge_types::name;
use forge_types::page::PageRequest;
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{
    Affiliations, RepositoryFilter, RepositoryOrder, RepositorySort, VisibleRepositories,
};

use crate::row::{FromRow, Row, Value};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

/// A part of a list, with the length of the whole.
#[derive(Clone, Debug, Default)]
pub struct RepositoryList {
    /// The repositories, one more than asked for if more follow.
    pub items: Vec<RepositoryAccess>,
    /// How many there are in all; known only if there is at least one item.
    pub total: Option<i64>,
}

pub(super) struct Counted {
    access: RepositoryAccess,
    total: i64,
}

impl FromRow for Counted {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self { access: RepositoryAccess::from_row(row)?, total: row.get("total")? })
    }
}

impl From<Vec<Counted>> for RepositoryList {
    fn from(rows: Vec<Counted>) -> Self {
        let total = rows.first().map(|row| row.total);
        Self { items: rows.into_iter().map(|row| row.access).collect(), total }
    }
}

/// Whose repositories are listed.
#[derive(Clone, Copy, Debug)]
pub enum ListedOwner<'a> {
    /// Those of the account with this id.
    Id(AccountId),
    /// Those of the account with this login, in whatever case.
    Login(&'a str),
}

/// Returns the repositories of one owner.
///
/// # Errors
/// Only faults of the database.
pub async fn list_by_owner(
    conn: &mut Conn,
    visible: VisibleRepositories,
    owner: ListedOwner<'_>,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> StoreResult<RepositoryList> {
    let mut values = list_parameters(visible, filter, order, page);
    values.extend(match owner {
        ListedOwner::Id(id) => params![Some(id), None::<String>],
        ListedOwner::Login(login) => params![None::<AccountId>, Some(name::key(login))],
    });
    let rows: Vec<Counted> = conn
        .fetch_all(
            sql!(
                "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id \
                 WHERE r.owner_id = COALESCE(CAST($13 AS BIGINT), \
                     (SELECT w.id FROM accounts w WHERE w.login_key = $14 AND w.status <> 'deleted'))) v WHERE ",
                is_visible!(),
                " AND ",
                passes_filter!(),
                " ORDER BY ",
                in_order!(),
                " LIMIT $11 OFFSET $12"
            ),
            values,
        )
        .await?;
    Ok(rows.into())
}

/// Returns the repositories that `account` is connected with. Those of an organization count only where the account
/// has a permission.
///
/// # Errors
/// Only faults of the database.
pub async fn list_by_affiliation(
    conn: &mut Conn,
    visible: VisibleRepositories,
    account: AccountId,
    affiliations: Affiliations,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> StoreResult<RepositoryList> {
    let mut values = list_parameters(visible, filter, order, page);
    values.extend(params![
        account,
        affiliations.owner,
        affiliations.collaborator,
        affiliations.organization_member
    ]);
    let rows: Vec<Counted> = conn
        .fetch_all(
            sql!(
                "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.id IN ( \
                     SELECT w.id FROM repositories w WHERE w.owner_id = $13 AND $14 = TRUE \
                     UNION SELECT c.repository_id FROM collaborators c WHERE c.account_id = $13 AND $15 = TRUE \
                     UNION SELECT w.id FROM repositories w \
                         JOIN organization_members m ON m.organization_id = w.owner_id \
                         JOIN organizations g ON g.account_id = m.organization_id \
                         WHERE m.member_id = $13 AND $16 = TRUE \
                         AND (m.role = 'admin' OR g.default_permission IS NOT NULL) \
                     UNION SELECT tr.repository_id FROM team_repositories tr \
                         JOIN team_members tm ON tm.team_id = tr.team_id \
                         WHERE tm.member_id = $13 AND $16 = TRUE)) v WHERE ",
                is_visible!(),
                " AND ",
                passes_filter!(),
                " ORDER BY ",
                in_order!(),
                " LIMIT $11 OFFSET $12"
            ),
            values,
        )
        .await?;
    Ok(rows.into())
}

/// The parameters `$1` to `$12` of every list.
pub(crate) fn list_parameters(
    visible: VisibleRepositories,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> Vec<Value> {
    params![
        visible.principal,
        visible.public,
        visible.internal,
        visible.permitted,
        filter.visibility.map(forge_types::repository::Visibility::as_str),
        filter.is_private,
        filter.is_fork,
        filter.is_archived,
        sort_name(order.sort),
        if order.descending { -1_i64 } else { 1 },
        page.limit_with_lookahead(),
        page.offset(),
    ]
}

const fn sort_name(sort: RepositorySort) -> &'static str {
    match sort {
        RepositorySort::Created => "created",
        RepositorySort::Updated => "updated",
        RepositorySort::Pushed => "pushed",
        RepositorySort::FullName => "full_name",
        RepositorySort::Size => "size",
    }
}
