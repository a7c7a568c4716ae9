//! Repositories that were forked from another, and the network that they make together.
//!
//! A fork knows its parent and the source, which the whole network began with. Both are forgotten when the parent goes, or
//! when others may see it than before: then the fork begins a network of its own. How many forks there are is counted
//! when one comes or goes: every statement that reads a repository says it.

use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{RepositoryFilter, RepositoryOrder, VisibleRepositories};
use forge_types::{Timestamp, name};

use super::{Id, delete, list_parameters, only};
use crate::accounts::Hold;
use crate::row::{Counted, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

/// Where a fork comes from.
#[derive(Clone, Copy, Debug)]
pub struct Lineage {
    /// The id that was reserved for it.
    pub id: RepositoryId,
    /// What it is forked from.
    pub parent_id: RepositoryId,
    /// What the network began with.
    pub source_id: RepositoryId,
}

/// Returns an id that no other repository has or will be given, if the name is free: the directory of a fork is filled before
/// there is a row. A fork that comes to nothing leaves no trace.
///
/// # Errors
/// `Duplicate` if the owner has a repository of this name, in whatever case.
pub async fn reserve(
    tx: &mut Tx,
    owner: &AccountRef,
    new_name: &str,
    now: Timestamp,
) -> StoreResult<RepositoryId> {
    let Id(id) = tx
        .fetch_one(
            sql!(
                "INSERT INTO repositories (owner_id, name, name_key, visibility, default_branch, settings, created_at, \
                 updated_at) VALUES ($1, $2, $3, 'private', '', '{}', $4, $4) RETURNING id"
            ),
            params![owner.id, new_name, name::key(new_name), now],
        )
        .await?;
    tx.execute(sql!("DELETE FROM repositories WHERE id = $1"), params![id]).await?;
    Ok(id)
}

/// Returns the repository of an owner that belongs to the network which began with `source`, if there is one, with the
/// permission of `caller`.
///
/// # Errors
/// Only faults of the database.
pub async fn find_in_network(
    conn: &mut Conn,
    caller: Option<AccountId>,
    owner: AccountId,
    source: RepositoryId,
) -> StoreResult<Option<RepositoryAccess>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            repository_columns!(),
            ", ",
            permission_rank!(),
            " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id \
             WHERE r.owner_id = $2 AND (r.id = $3 OR r.source_id = $3) ORDER BY r.id LIMIT 1"
        ),
        params![caller, owner, source],
    )
    .await
}

/// Returns the repositories that were forked from this one.
///
/// # Errors
/// Only faults of the database.
pub async fn list_forks(
    conn: &mut Conn,
    visible: VisibleRepositories,
    parent: RepositoryId,
    order: RepositoryOrder,
    page: PageRequest,
) -> StoreResult<Page<RepositoryAccess>> {
    let mut values = list_parameters(&visible, &RepositoryFilter::default(), order, page);
    values.extend(params![parent, only(&visible)]);
    let rows = conn
        .fetch_all(
            sql!(
                "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id \
                 WHERE r.parent_id = $13) v WHERE ",
                is_visible!(),
                " AND (CAST($14 AS TEXT) IS NULL OR $14 LIKE '%,' || v.id || ',%') AND ",
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

/// What a repository was forked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descent {
    /// The repository that it was forked from.
    pub parent_id: Option<RepositoryId>,
    /// The repository that the network began with.
    pub source_id: Option<RepositoryId>,
}

from_row!(Descent { parent_id, source_id });

/// Holds a repository, its parent and the source of its network until the transaction ends, and returns what it was forked from;
/// `None` if it is gone. Whoever forks it holds it shared, whoever ends it or its forks' lineage alone. On SQLite the one
/// writer is alone anyway.
///
/// Those above are held first and never alone, so that two transactions of a network seldom wait for each other; and no push
/// waits for any of this, because it changes no key.
///
/// INVARIANT: no parent and no source is written that was not held, and none changes without being held alone.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_descent(tx: &mut Tx, id: RepositoryId, how: Hold) -> StoreResult<Option<Descent>> {
    let mut seen = find_descent(tx, id).await?;
    while let Some(descent) = seen {
        if tx.is_sqlite() {
            break;
        }
        let parent = descent.parent_id.filter(|parent| descent.source_id != Some(*parent));
        for above in [descent.source_id, parent].into_iter().flatten() {
            hold_row(tx, above, Hold::Shared).await?;
        }
        hold_row(tx, id, how).await?;
        // Somebody who held one of them alone may have changed it before they let go.
        seen = find_descent(tx, id).await?;
        if seen == Some(descent) {
            break;
        }
    }
    Ok(seen)
}

async fn find_descent(tx: &mut Tx, id: RepositoryId) -> StoreResult<Option<Descent>> {
    tx.fetch_optional(sql!("SELECT parent_id, source_id FROM repositories WHERE id = $1"), params![id]).await
}

async fn hold_row(tx: &mut Tx, id: RepositoryId, how: Hold) -> StoreResult<()> {
    let statement = match how {
        Hold::Shared => postgres_sql!("SELECT id FROM repositories WHERE id = $1 FOR KEY SHARE"),
        Hold::Alone => postgres_sql!("SELECT id FROM repositories WHERE id = $1 FOR UPDATE"),
    };
    tx.execute(statement, params![id]).await?;
    Ok(())
}

/// Counts a new fork where it was forked from. To be done last: until the transaction ends, pushes into those wait.
///
/// # Errors
/// Only faults of the database.
pub async fn count_fork(tx: &mut Tx, lineage: Lineage) -> StoreResult<()> {
    add_forks(tx, lineage.source_id, 1).await?;
    if lineage.parent_id != lineage.source_id {
        add_forks(tx, lineage.parent_id, 1).await?;
    }
    Ok(())
}

async fn add_forks(tx: &mut Tx, id: RepositoryId, count: i64) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE repositories SET fork_count = fork_count + $2 WHERE id = $1"),
        params![id, count],
    )
    .await?;
    Ok(())
}

/// Deletes a repository that is held alone, as [`delete`] does, out of its network. Its forks become forks of its own parent:
/// nothing becomes free of its network by what lies between being deleted. Those of a source begin networks of their own.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_from_network(tx: &mut Tx, id: RepositoryId, descent: Descent) -> StoreResult<()> {
    let Some(parent) = descent.parent_id else {
        release_forks(tx, id).await?;
        delete(tx, id).await?;
        return Ok(());
    };
    let forks = tx
        .execute(sql!("UPDATE repositories SET parent_id = $2 WHERE parent_id = $1"), params![id, parent])
        .await?;
    delete(tx, id).await?;
    if let Some(source) = descent.source_id {
        add_forks(tx, source, -1).await?;
    }
    if descent.source_id != Some(parent) {
        add_forks(tx, parent, i64::try_from(forks).unwrap_or(i64::MAX) - 1).await?;
    }
    Ok(())
}

/// Makes each fork of a source, which is held alone, the beginning of a network of its own, with the forks of the fork.
///
/// # Errors
/// Only faults of the database.
pub async fn release_forks(tx: &mut Tx, source: RepositoryId) -> StoreResult<()> {
    let released = tx
        .execute(
            sql!(
                "WITH RECURSIVE below (id, source_id) AS ( \
                     SELECT c.id, c.id FROM repositories c WHERE c.parent_id = $1 \
                     UNION ALL SELECT c.id, b.source_id FROM repositories c JOIN below b ON c.parent_id = b.id) \
                 UPDATE repositories SET \
                     source_id = (SELECT NULLIF(b.source_id, b.id) FROM below b WHERE b.id = repositories.id), \
                     fork_count = CASE WHEN parent_id <> $1 THEN fork_count \
                         ELSE (SELECT COUNT(*) - 1 FROM below b WHERE b.source_id = repositories.id) END \
                 WHERE id IN (SELECT b.id FROM below b)"
            ),
            params![source],
        )
        .await?;
    if released == 0 {
        return Ok(());
    }
    tx.execute(sql!("UPDATE repositories SET parent_id = NULL WHERE parent_id = $1"), params![source])
        .await?;
    tx.execute(sql!("UPDATE repositories SET fork_count = 0 WHERE id = $1"), params![source]).await?;
    Ok(())
}
