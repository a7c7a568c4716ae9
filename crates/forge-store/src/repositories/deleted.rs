//! Repositories that were deleted and whose files are kept for a while. What is needed to have them back lies in tables that
//! no other statement reads, so that nothing of them can be found by anybody else.

use forge_types::id::{AccountId, RepositoryId};
use forge_types::repository::Visibility;
use forge_types::{RefName, Timestamp, name};

use super::delete_redirect;
use crate::refs::StoredRef;
use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A repository that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedRepository {
    /// The id it had.
    pub id: RepositoryId,
    /// Who owned it.
    pub owner_id: AccountId,
    /// What its owner is called now.
    pub owner_login: String,
    /// What it was called.
    pub name: String,
    /// Who could see it.
    pub visibility: Visibility,
    /// Its topics, separated by spaces.
    pub topics: Option<String>,
    /// How many bytes its packs have.
    pub size_bytes: i64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When its files go.
    pub remove_after: Timestamp,
}

from_row!(DeletedRepository {
    id,
    owner_id,
    owner_login,
    name,
    visibility,
    topics,
    size_bytes,
    deleted_at,
    remove_after
});

struct DeletedRef {
    name: RefName,
    object_id: forge_types::ObjectId,
}

from_row!(DeletedRef { name, object_id });

macro_rules! deleted_columns {
    () => {
        "d.id, d.owner_id, o.login AS owner_login, d.name, d.visibility, d.topics, d.size_bytes, d.deleted_at, d.remove_after \
         FROM deleted_repositories d JOIN accounts o ON o.id = d.owner_id"
    };
}

/// Notes all it takes to have a repository back, in the transaction that deletes it, and before it is deleted.
///
/// # Errors
/// Only faults of the database.
pub async fn keep(
    tx: &mut Tx,
    id: RepositoryId,
    deleted_by: Option<AccountId>,
    now: Timestamp,
    remove_after: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO deleted_repositories (id, owner_id, name, visibility, default_branch, settings, description, topics, \
             archived_at, size_bytes, created_by, created_at, pushed_at, ref_generation, gc_epoch, rewrites, rebuilds, deleted_by, \
             deleted_at, remove_after) \
             SELECT r.id, r.owner_id, r.name, r.visibility, r.default_branch, r.settings, r.description, \
             (SELECT string_agg(t.topic, ' ') FROM repository_topics t WHERE t.repository_id = r.id), r.archived_at, r.size_bytes, \
             r.created_by, r.created_at, r.pushed_at, k.ref_generation, k.gc_epoch, k.rewrites, k.rebuilds, \
             CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) \
             FROM repositories r JOIN repository_counters k ON k.repository_id = r.id WHERE r.id = $1"
        ),
        params![id, deleted_by, now, remove_after],
    )
    .await?;
    tx.execute(
        sql!(
            "INSERT INTO deleted_refs (repository_id, name, object_id) \
             SELECT f.repository_id, f.name, f.object_id FROM refs f WHERE f.repository_id = $1"
        ),
        params![id],
    )
    .await?;
    tx.execute(
        sql!(
            "INSERT INTO deleted_packs (repository_id, name, object_count, size_bytes, created_at, visible_at, is_cruft) \
             SELECT p.repository_id, p.name, p.object_count, p.size_bytes, p.created_at, p.visible_at, p.is_cruft \
             FROM packs p WHERE p.repository_id = $1"
        ),
        params![id],
    )
    .await?;
    Ok(())
}

/// Returns the repositories that can be had back, those first that were deleted last.
///
/// # Errors
/// Only faults of the database.
pub async fn list_deleted(conn: &mut Conn) -> StoreResult<Vec<DeletedRepository>> {
    conn.fetch_all(
        sql!("SELECT ", deleted_columns!(), " ORDER BY d.deleted_at DESC, d.id DESC LIMIT 10000"),
        params![],
    )
    .await
}

/// Returns the deleted repository that had this id.
///
/// # Errors
/// Only faults of the database.
pub async fn find_deleted(conn: &mut Conn, id: RepositoryId) -> StoreResult<Option<DeletedRepository>> {
    conn.fetch_optional(sql!("SELECT ", deleted_columns!(), " WHERE d.id = $1"), params![id]).await
}

/// Returns the names and objects of the refs that a deleted repository had.
///
/// # Errors
/// Only faults of the database.
pub async fn list_deleted_refs(conn: &mut Conn, id: RepositoryId) -> StoreResult<Vec<StoredRef>> {
    let rows: Vec<DeletedRef> = conn
        .fetch_all(
            sql!("SELECT name, object_id FROM deleted_refs WHERE repository_id = $1 ORDER BY name"),
            params![id],
        )
        .await?;
    let stored = |row: DeletedRef| StoredRef { name: row.name, object_id: row.object_id, peeled_id: None };
    Ok(rows.into_iter().map(stored).collect())
}

/// Returns the names of the packs that a deleted repository had.
///
/// # Errors
/// Only faults of the database.
pub async fn list_deleted_packs(conn: &mut Conn, id: RepositoryId) -> StoreResult<Vec<String>> {
    struct PackName {
        name: String,
    }
    from_row!(PackName { name });
    let rows: Vec<PackName> =
        conn.fetch_all(sql!("SELECT name FROM deleted_packs WHERE repository_id = $1"), params![id]).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Puts a deleted repository back with its packs and counters, without its refs, under a name of an owner; false if its files
/// are gone or about to go. Its state is none that anybody has seen before, and no pack
/// is taken any more for just what the visible refs reach: not each of them need come back.
///
/// # Errors
/// `Duplicate` if the owner has a repository of this name, in whatever case.
pub async fn put_back(
    tx: &mut Tx,
    id: RepositoryId,
    owner: AccountId,
    new_name: &str,
    now: Timestamp,
) -> StoreResult<bool> {
    let key = name::key(new_name);
    let put = tx
        .execute(
            sql!(
                "INSERT INTO repositories (id, owner_id, name, name_key, visibility, default_branch, settings, description, \
                 archived_at, size_bytes, created_by, created_at, updated_at, pushed_at) \
                 SELECT d.id, CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), d.visibility, d.default_branch, \
                 d.settings, d.description, d.archived_at, d.size_bytes, d.created_by, d.created_at, \
                 CAST($5 AS BIGINT), d.pushed_at \
                 FROM deleted_repositories d WHERE d.id = $1"
            ),
            params![id, owner, new_name, key.as_str(), now],
        )
        .await?;
    tx.execute(
        sql!(
            "INSERT INTO repository_counters (repository_id, ref_generation, gc_epoch, rewrites, rebuilds) \
             SELECT d.id, d.ref_generation + 1, d.gc_epoch + 1, d.rewrites + 1, d.rebuilds + 1 FROM deleted_repositories d \
             WHERE d.id = $1"
        ),
        params![id],
    )
    .await?;
    tx.execute(
        sql!(
            "INSERT INTO packs (repository_id, name, object_count, size_bytes, created_at, visible_at, is_cruft) \
             SELECT p.repository_id, p.name, p.object_count, p.size_bytes, p.created_at, p.visible_at, p.is_cruft \
             FROM deleted_packs p WHERE p.repository_id = $1"
        ),
        params![id],
    )
    .await?;
    delete_redirect(tx, owner, &key).await?;
    let forgotten = tx.execute(sql!("DELETE FROM deleted_repositories WHERE id = $1"), params![id]).await?;
    Ok(put == 1 && forgotten == 1)
}

/// Forgets a deleted repository whose time is over.
///
/// # Errors
/// Only faults of the database.
pub async fn forget_deleted(tx: &mut Tx, id: RepositoryId, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!("DELETE FROM deleted_repositories WHERE id = $1 AND remove_after <= $2"),
        params![id, now],
    )
    .await?;
    Ok(())
}
