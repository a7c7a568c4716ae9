//! What teams have access to.

use forge_types::id::{RepositoryId, TeamId};
use forge_types::organization::Team;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{RepositoryFilter, RepositoryOrder, VisibleRepositories};
use forge_types::{Permission, Timestamp};

use crate::repositories::{
    in_order, is_visible, list_parameters, only, passes_filter, permission_rank, repository_columns,
};
use crate::row::{Counted, FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A repository and what a team may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamRepository {
    /// The repository, with the caller's permission.
    pub access: RepositoryAccess,
    /// The team's permission.
    pub permission: Permission,
}

struct Held(Permission);

impl FromRow for Held {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        row.get::<Option<Permission>>("team_permission")?
            .map(Self)
            .ok_or_else(|| corrupt("team_permission", "null"))
    }
}

impl FromRow for TeamRepository {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self { access: RepositoryAccess::from_row(row)?, permission: Held::from_row(row)?.0 })
    }
}

/// A team and what it may do in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamAccess {
    /// The team.
    pub team: Team,
    /// Its permission.
    pub permission: Permission,
}

impl FromRow for TeamAccess {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self { team: Team::from_row(row)?, permission: Held::from_row(row)?.0 })
    }
}

/// Returns the repositories a team has access to and the caller may see, by name.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    visible: VisibleRepositories,
    team: TeamId,
    page: PageRequest,
) -> StoreResult<Page<TeamRepository>> {
    let mut values =
        list_parameters(&visible, &RepositoryFilter::default(), RepositoryOrder::default(), page);
    values.extend(params![team, only(&visible)]);
    let rows = conn.fetch_all(
        sql!(
            "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
            repository_columns!(),
            ", tr.permission AS team_permission, ",
            permission_rank!(),
            " AS permission FROM team_repositories tr JOIN repositories r ON r.id = tr.repository_id \
             JOIN accounts o ON o.id = r.owner_id WHERE tr.team_id = $13) v WHERE ",
            is_visible!(),
            " AND (CAST($14 AS TEXT) IS NULL OR $14 LIKE '%,' || v.id || ',%') AND ",
            passes_filter!(),
            " ORDER BY ",
            in_order!(),
            " LIMIT $11 OFFSET $12"
        ),
        values,
    );
    Ok(Counted::page(rows.await?, page))
}

/// Returns the teams with access to a repository, by name.
///
/// # Errors
/// Only faults of the database.
pub async fn list_of_repository(
    conn: &mut Conn,
    repository: RepositoryId,
    page: PageRequest,
) -> StoreResult<Page<TeamAccess>> {
    conn.fetch_page(
        sql!(
            "SELECT t.id, t.organization_id, a.login AS organization_login, t.name, t.slug, t.description, t.privacy, \
             t.created_at, t.updated_at, tr.permission AS team_permission, COUNT(*) OVER () AS total \
             FROM team_repositories tr JOIN teams t ON t.id = tr.team_id \
             JOIN accounts a ON a.id = t.organization_id \
             WHERE tr.repository_id = $1 ORDER BY t.slug LIMIT $2 OFFSET $3"
        ),
        params![repository],
        page,
    )
    .await
}

/// Returns what a team may do in a repository.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    team: TeamId,
    repository: RepositoryId,
) -> StoreResult<Option<Permission>> {
    let row: Option<Held> = conn
        .fetch_optional(
            sql!(
                "SELECT permission AS team_permission FROM team_repositories \
                 WHERE team_id = $1 AND repository_id = $2"
            ),
            params![team, repository],
        )
        .await?;
    Ok(row.map(|row| row.0))
}

/// Gives a team a permission in a repository of its own organization, in place of the one it had; returns whether the
/// repository is such a one.
///
/// # Errors
/// Only faults of the database.
pub async fn upsert(
    tx: &mut Tx,
    team: TeamId,
    repository: RepositoryId,
    permission: Permission,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO team_repositories (team_id, repository_id, permission, created_at) \
                 SELECT t.id, r.id, $3, $4 FROM teams t JOIN repositories r ON r.owner_id = t.organization_id \
                 WHERE t.id = $1 AND r.id = $2 \
                 ON CONFLICT (team_id, repository_id) DO UPDATE SET permission = excluded.permission"
            ),
            params![team, repository, permission.rank(), now],
        )
        .await?;
    Ok(rows == 1)
}

/// Takes a team's access to a repository away; returns whether it had any.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, team: TeamId, repository: RepositoryId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM team_repositories WHERE team_id = $1 AND repository_id = $2"),
            params![team, repository],
        )
        .await?;
    Ok(rows == 1)
}
