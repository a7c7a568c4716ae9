//! Repositories that were forked from another, and the network that they make together.
//!
//! A fork knows its parent and the source, which the whole network began with. Both are forgotten when the parent goes, or
//! when others may see it than before: then the fork begins a network of its own.

use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{RepositoryFilter, RepositoryOrder, VisibleRepositories};
use forge_types::{Timestamp, name};

use super::{Id, list_parameters, only};
use crate::row::Counted;
use crate::statement::{params, sql};
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

/// Makes the forks of a repository forks of its own parent.
///
/// # Errors
/// Only faults of the database.
pub async fn hand_forks_on(tx: &mut Tx, from: RepositoryId, to: RepositoryId) -> StoreResult<()> {
    tx.execute(sql!("UPDATE repositories SET parent_id = $2 WHERE parent_id = $1"), params![from, to])
        .await?;
    Ok(())
}

/// Makes each fork of a repository the beginning of a network of its own, with the forks of the fork.
///
/// # Errors
/// Only faults of the database.
pub async fn release_forks(tx: &mut Tx, parent: RepositoryId) -> StoreResult<()> {
    tx.execute(
        sql!(
            "WITH RECURSIVE below (id, source_id) AS ( \
                 SELECT c.id, c.id FROM repositories c WHERE c.parent_id = $1 \
                 UNION ALL SELECT c.id, b.source_id FROM repositories c JOIN below b ON c.parent_id = b.id) \
             UPDATE repositories SET source_id = \
                 (SELECT NULLIF(b.source_id, b.id) FROM below b WHERE b.id = repositories.id) \
             WHERE id IN (SELECT b.id FROM below b)"
        ),
        params![parent],
    )
    .await?;
    tx.execute(sql!("UPDATE repositories SET parent_id = NULL WHERE parent_id = $1"), params![parent])
        .await?;
    Ok(())
}
