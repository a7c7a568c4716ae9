//! What there is, for checks and backups that go through everything.

use forge_types::Timestamp;
use forge_types::id::RepositoryId;

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

/// A repository, as far as its directory goes.
#[derive(Clone, Debug)]
pub struct InventoryEntry {
    /// Its id.
    pub id: RepositoryId,
    /// `OWNER/NAME`.
    pub full_name: String,
}
from_row!(InventoryEntry { id, full_name });

/// Returns the next `limit` repositories after `after`, by id.
///
/// # Errors
/// Only faults of the database.
pub async fn list_repositories(
    conn: &mut Conn,
    after: RepositoryId,
    limit: i64,
) -> StoreResult<Vec<InventoryEntry>> {
    conn.fetch_all(
        sql!(
            "SELECT r.id, o.login || '/' || r.name AS full_name FROM repositories r \
             JOIN accounts o ON o.id = r.owner_id WHERE r.id > $1 ORDER BY r.id LIMIT $2"
        ),
        params![after, limit],
    )
    .await
}

struct PackName {
    name: String,
}
from_row!(PackName { name });

/// Returns the names of the packs on the manifest of a repository.
///
/// # Errors
/// Only faults of the database.
pub async fn list_packs(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<String>> {
    let rows: Vec<PackName> = conn
        .fetch_all(sql!("SELECT name FROM packs WHERE repository_id = $1 ORDER BY name"), params![repository])
        .await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// A pack on the manifest of a repository.
#[derive(Clone, Debug)]
pub struct ManifestPack {
    /// Its file name without extension.
    pub name: String,
    /// How many objects it has.
    pub object_count: i64,
    /// Does it hold exactly what the visible refs reached when it was made, none of which lost anything since?
    pub is_closure: bool,
    /// Does it hold only what no ref reached?
    pub is_cruft: bool,
    /// When it was put on the manifest.
    pub created_at: Timestamp,
}
from_row!(ManifestPack { name, object_count, is_closure, is_cruft, created_at });

/// Returns the packs on the manifest of a repository, smallest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list_manifest(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<ManifestPack>> {
    conn.fetch_all(
        sql!(
            "SELECT p.name, p.object_count, COALESCE(p.visible_at = k.rewrites, FALSE) AS is_closure, p.is_cruft, \
             p.created_at FROM packs p JOIN repository_counters k ON k.repository_id = p.repository_id \
             WHERE p.repository_id = $1 ORDER BY p.object_count, p.name"
        ),
        params![repository],
    )
    .await
}

/// Returns how many packs are on the manifest of a repository.
///
/// # Errors
/// Only faults of the database.
pub async fn count_packs(conn: &mut Conn, repository: RepositoryId) -> StoreResult<i64> {
    struct Count {
        count: i64,
    }
    from_row!(Count { count });
    let row: Count = conn
        .fetch_one(sql!("SELECT COUNT(*) AS count FROM packs WHERE repository_id = $1"), params![repository])
        .await?;
    Ok(row.count)
}

struct Counter {
    rewrites: i64,
}
from_row!(Counter { rewrites });

/// Returns how often a visible ref of a repository lost history; `None` if the repository is gone.
///
/// # Errors
/// Only faults of the database.
pub async fn count_rewrites(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Option<i64>> {
    let row: Option<Counter> = conn
        .fetch_optional(
            sql!("SELECT rewrites FROM repository_counters WHERE repository_id = $1"),
            params![repository],
        )
        .await?;
    Ok(row.map(|row| row.rewrites))
}
