//! What there is, for checks and backups that go through everything.

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
}
from_row!(ManifestPack { name, object_count });

/// Returns the packs on the manifest of a repository, smallest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list_packs_by_size(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<ManifestPack>> {
    conn.fetch_all(
        sql!("SELECT name, object_count FROM packs WHERE repository_id = $1 ORDER BY object_count, name"),
        params![repository],
    )
    .await
}
