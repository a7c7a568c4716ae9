//! The three ways a ref changes. Each statement changes only refs that are as expected and says which those were.

use forge_types::id::RepositoryId;
use forge_types::{ObjectId, RefName, Timestamp};

use super::batch::{deleted_rows, moved_rows, new_objects, new_peeled, new_rows, parameters, pieces};
use super::{NameRow, kind_number};
use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

/// A ref that is to come into being.
#[derive(Clone, Debug)]
pub struct Creation<'a> {
    /// Its name.
    pub name: &'a RefName,
    /// The object it is to point to.
    pub new: ObjectId,
    /// For an annotated tag, the object it stands for.
    pub peeled: Option<ObjectId>,
}

/// A ref that is to point to another object.
#[derive(Clone, Debug)]
pub struct Move<'a> {
    /// Its name.
    pub name: &'a RefName,
    /// The object it is expected to point to.
    pub old: ObjectId,
    /// The object it is to point to.
    pub new: ObjectId,
    /// For an annotated tag, the object it stands for.
    pub peeled: Option<ObjectId>,
}

/// A ref that is to go.
#[derive(Clone, Debug)]
pub struct Deletion<'a> {
    /// Its name.
    pub name: &'a RefName,
    /// The object it is expected to point to.
    pub old: ObjectId,
}

/// Creates refs; returns those that were created. The others exist, or one exists that differs only in case.
///
/// # Errors
/// Only faults of the database.
pub async fn create(
    tx: &mut Tx,
    repository: RepositoryId,
    refs: &[Creation<'_>],
    now: Timestamp,
) -> StoreResult<Vec<RefName>> {
    let of_row = |row: &Creation<'_>| {
        params![row.name.as_str(), row.name.fold(), kind_number(row.name.kind()), row.new, row.peeled]
    };
    let mut changed: Vec<NameRow> = Vec::new();
    for piece in pieces(refs) {
        let values = parameters(params![repository, now], &piece, of_row);
        let rows = if piece.len() == 1 {
            let one = sql!(
                "INSERT INTO refs (repository_id, name, fold_key, kind, object_id, peeled_id, updated_at) \
                 VALUES ($1, $3, $4, $5, $6, $7, $2) ON CONFLICT DO NOTHING RETURNING name"
            );
            tx.fetch_all(one, values).await?
        } else {
            let many = sql!(
                "INSERT INTO refs (repository_id, name, fold_key, kind, object_id, peeled_id, updated_at) VALUES ",
                new_rows!(),
                " ON CONFLICT DO NOTHING RETURNING name"
            );
            tx.fetch_all(many, values).await?
        };
        changed.extend(rows);
    }
    Ok(changed.into_iter().map(|row| row.name).collect())
}

/// Moves refs; returns those that were moved. The others are not as expected.
///
/// # Errors
/// Only faults of the database.
pub async fn update(
    tx: &mut Tx,
    repository: RepositoryId,
    refs: &[Move<'_>],
    now: Timestamp,
) -> StoreResult<Vec<RefName>> {
    let of_row = |row: &Move<'_>| params![row.name.as_str(), row.old, row.new, row.peeled];
    let mut changed: Vec<NameRow> = Vec::new();
    for piece in pieces(refs) {
        let values = parameters(params![repository, now], &piece, of_row);
        let rows = if piece.len() == 1 {
            let one = sql!(
                "UPDATE refs SET object_id = $5, peeled_id = $6, updated_at = $2 \
                 WHERE repository_id = $1 AND name = $3 AND object_id = $4 RETURNING name"
            );
            tx.fetch_all(one, values).await?
        } else {
            let many = sql!(
                "UPDATE refs SET updated_at = $2, object_id = CASE name ",
                new_objects!(),
                " ELSE object_id END, peeled_id = CASE name ",
                new_peeled!(),
                " ELSE peeled_id END WHERE repository_id = $1 AND (",
                moved_rows!(),
                ") RETURNING name"
            );
            tx.fetch_all(many, values).await?
        };
        changed.extend(rows);
    }
    Ok(changed.into_iter().map(|row| row.name).collect())
}

/// Deletes refs; returns those that were deleted. The others are not as expected.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(
    tx: &mut Tx,
    repository: RepositoryId,
    refs: &[Deletion<'_>],
) -> StoreResult<Vec<RefName>> {
    let of_row = |row: &Deletion<'_>| params![row.name.as_str(), row.old];
    let mut changed: Vec<NameRow> = Vec::new();
    for piece in pieces(refs) {
        let values = parameters(params![repository], &piece, of_row);
        let rows = if piece.len() == 1 {
            let one = sql!(
                "DELETE FROM refs WHERE repository_id = $1 AND name = $2 AND object_id = $3 RETURNING name"
            );
            tx.fetch_all(one, values).await?
        } else {
            let many =
                sql!("DELETE FROM refs WHERE repository_id = $1 AND (", deleted_rows!(), ") RETURNING name");
            tx.fetch_all(many, values).await?
        };
        changed.extend(rows);
    }
    Ok(changed.into_iter().map(|row| row.name).collect())
}
