//! Lists of repositories. INVARIANT: every list applies `VisibleRepositories`, so that it holds exactly what the caller
//! could read one by one.

use forge_types::id::AccountId;
use forge_types::name;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{
    Affiliations, RepositoryFilter, RepositoryOrder, RepositorySort, VisibleRepositories,
};

use crate::row::{Counted, Value};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

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
) -> StoreResult<Page<RepositoryAccess>> {
    let only = only(&visible);
    let mut values = list_parameters(&visible, filter, order, page);
    values.extend(match owner {
        ListedOwner::Id(id) => params![Some(id), None::<String>, only],
        ListedOwner::Login(login) => params![None::<AccountId>, Some(name::key(login)), only],
    });
    let rows = conn
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
                " AND (CAST($15 AS TEXT) IS NULL OR $15 LIKE '%,' || v.id || ',%') AND ",
                passes_filter!(),
                " ORDER BY ",
                in_order!(),
                " LIMIT $11 OFFSET $12"
            ),
            values,
        )
        .await?;
    Ok(Counted::page(rows, page))
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
) -> StoreResult<Page<RepositoryAccess>> {
    let mut values = list_parameters(&visible, filter, order, page);
    values.extend(params![
        account,
        affiliations.owner,
        affiliations.collaborator,
        affiliations.organization_member,
        only(&visible),
    ]);
    let rows = conn
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
                " AND (CAST($17 AS TEXT) IS NULL OR $17 LIKE '%,' || v.id || ',%') AND ",
                passes_filter!(),
                " ORDER BY ",
                in_order!(),
                " LIMIT $11 OFFSET $12"
            ),
            values,
        )
        .await?;
    Ok(Counted::page(rows, page))
}

/// The parameters `$1` to `$12` of every list.
pub(crate) fn list_parameters(
    visible: &VisibleRepositories,
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

/// Returns the ids of the only repositories that count, each between commas; none when all do.
pub(crate) fn only(visible: &VisibleRepositories) -> Option<String> {
    let ids = visible.only.as_ref()?;
    Some(ids.iter().fold(",".to_owned(), |text, id| format!("{text}{id},")))
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
