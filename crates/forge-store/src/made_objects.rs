//! Objects that were made through the API, as long as only their maker may read them.

use forge_types::id::{AccountId, GrantId, RepositoryId};
use forge_types::{ObjectFormat, ObjectId, Timestamp};

use crate::row::{corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// Notes that an account made these objects, under a grant if it needed one.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(
    tx: &mut Tx,
    repository: RepositoryId,
    account: AccountId,
    grant: Option<&GrantId>,
    objects: &[ObjectId],
    now: Timestamp,
) -> StoreResult<()> {
    let ids: Vec<u8> = objects.iter().flat_map(|id| id.as_bytes().to_vec()).collect();
    tx.execute(
        sql!(
            "INSERT INTO made_objects (repository_id, account_id, object_ids, created_at, grant_id) \
             VALUES ($1, $2, $3, $4, $5)"
        ),
        params![repository, account, ids, now, grant],
    )
    .await?;
    Ok(())
}

/// Returns the objects of this format that an account made in a repository after `since`, under the same grant or, like now,
/// under none.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    repository: RepositoryId,
    account: AccountId,
    grant: Option<&GrantId>,
    format: ObjectFormat,
    since: Timestamp,
) -> StoreResult<Vec<ObjectId>> {
    struct Made {
        object_ids: Vec<u8>,
    }
    from_row!(Made { object_ids });
    let rows: Vec<Made> = conn
        .fetch_all(
            sql!(
                "SELECT object_ids FROM made_objects WHERE repository_id = $1 AND account_id = $2 AND created_at > $3 \
                 AND COALESCE(grant_id, '') = COALESCE(CAST($4 AS TEXT), '')"
            ),
            params![repository, account, since, grant],
        )
        .await?;
    let ids = rows.iter().flat_map(|row| row.object_ids.chunks(format.raw_len()));
    ids.map(|id| ObjectId::from_bytes(id).map_err(|_| corrupt("object_ids", "bytes that are no object ids")))
        .collect()
}

/// Forgets what was made before `horizon`; returns how many requests made it.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(tx: &mut Tx, horizon: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!("DELETE FROM made_objects WHERE created_at < $1"), params![horizon]).await
}
