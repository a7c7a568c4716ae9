//! Labels of repositories.

use forge_types::Timestamp;
use forge_types::id::{LabelId, RepositoryId};
use forge_types::label::{DEFAULT_LABELS, Label};
use forge_types::page::PageRequest;

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

from_row!(Label { id, repository_id, name, color, description, is_default, created_at, updated_at });

/// The columns of a [`Label`].
macro_rules! label_columns {
    () => {
        "id, repository_id, name, color, description, is_default, created_at, updated_at"
    };
}

/// Returns the form under which names that differ only in case are the same.
pub(crate) fn key(name: &str) -> String {
    name.to_lowercase()
}

/// What a new label is made of.
#[derive(Clone, Debug)]
pub struct NewLabel<'a> {
    /// The repository.
    pub repository_id: RepositoryId,
    /// The name, already checked.
    pub name: &'a str,
    /// Six hexadecimal digits.
    pub color: &'a str,
    /// A sentence about it.
    pub description: Option<&'a str>,
    /// Whether every new repository has it.
    pub is_default: bool,
}

/// Inserts a label.
///
/// # Errors
/// `Duplicate` if the repository has a label of this name, in whatever case.
pub async fn insert(tx: &mut Tx, new: &NewLabel<'_>, now: Timestamp) -> StoreResult<Label> {
    tx.fetch_one(
        sql!(
            "INSERT INTO labels (repository_id, name, name_key, color, description, is_default, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING ",
            label_columns!()
        ),
        params![new.repository_id, new.name, key(new.name), new.color, new.description, new.is_default, now],
    )
    .await
}

/// Inserts the labels every new repository has.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_defaults(tx: &mut Tx, repository: RepositoryId, now: Timestamp) -> StoreResult<()> {
    let mut values = params![repository, now];
    for (name, color, description) in DEFAULT_LABELS {
        values.extend(params![name, color, description]);
    }
    tx.execute(
        sql!(
            "INSERT INTO labels (repository_id, name, name_key, color, description, is_default, created_at, updated_at) \
             VALUES ($1, $3, $3, $4, $5, TRUE, $2, $2), ($1, $6, $6, $7, $8, TRUE, $2, $2), \
             ($1, $9, $9, $10, $11, TRUE, $2, $2), ($1, $12, $12, $13, $14, TRUE, $2, $2), \
             ($1, $15, $15, $16, $17, TRUE, $2, $2), ($1, $18, $18, $19, $20, TRUE, $2, $2), \
             ($1, $21, $21, $22, $23, TRUE, $2, $2), ($1, $24, $24, $25, $26, TRUE, $2, $2), \
             ($1, $27, $27, $28, $29, TRUE, $2, $2)"
        ),
        values,
    )
    .await?;
    Ok(())
}

/// Returns the label of this name, in whatever case.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_name(
    conn: &mut Conn,
    repository: RepositoryId,
    name: &str,
) -> StoreResult<Option<Label>> {
    conn.fetch_optional(
        sql!("SELECT ", label_columns!(), " FROM labels WHERE repository_id = $1 AND name_key = $2"),
        params![repository, key(name)],
    )
    .await
}

/// Returns the label with this id.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, id: LabelId) -> StoreResult<Option<Label>> {
    conn.fetch_optional(sql!("SELECT ", label_columns!(), " FROM labels WHERE id = $1"), params![id]).await
}

/// What labels are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelOrder {
    /// By name rather than by age.
    pub by_name: bool,
    /// Whether the last or youngest comes first.
    pub descending: bool,
}

/// Returns the labels of a repository whose name or description contains `query`.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    repository: RepositoryId,
    query: Option<&str>,
    order: LabelOrder,
    page: PageRequest,
) -> StoreResult<Vec<Label>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            label_columns!(),
            " FROM labels WHERE repository_id = $1 AND (CAST($2 AS TEXT) IS NULL \
             OR name_key LIKE '%' || $2 || '%' ESCAPE '\\' \
             OR LOWER(COALESCE(description, '')) LIKE '%' || $2 || '%' ESCAPE '\\') \
             ORDER BY CASE WHEN $3 = TRUE AND $4 > 0 THEN name_key END, \
             CASE WHEN $3 = TRUE AND $4 < 0 THEN name_key END DESC, id * $4 LIMIT $5 OFFSET $6"
        ),
        params![
            repository,
            query.map(crate::row::like_escaped),
            order.by_name,
            if order.descending { -1_i64 } else { 1 },
            page.limit_with_lookahead(),
            page.offset()
        ],
    )
    .await
}

/// Returns how many labels of a repository contain `query` in name or description.
///
/// # Errors
/// Only faults of the database.
pub async fn count(conn: &mut Conn, repository: RepositoryId, query: Option<&str>) -> StoreResult<i64> {
    struct Count {
        total: i64,
    }
    from_row!(Count { total });
    let row: Count = conn
        .fetch_one(
            sql!(
                "SELECT COUNT(*) AS total FROM labels WHERE repository_id = $1 AND (CAST($2 AS TEXT) IS NULL \
                 OR name_key LIKE '%' || $2 || '%' ESCAPE '\\' \
                 OR LOWER(COALESCE(description, '')) LIKE '%' || $2 || '%' ESCAPE '\\')"
            ),
            params![repository, query.map(crate::row::like_escaped)],
        )
        .await?;
    Ok(row.total)
}

/// Writes name, colour and description.
///
/// # Errors
/// `Duplicate` if another label of the repository has this name, in whatever case.
pub async fn update(tx: &mut Tx, label: &Label) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE labels SET name = $2, name_key = $3, color = $4, description = $5, updated_at = $6 WHERE id = $1"
        ),
        params![
            label.id,
            label.name.as_str(),
            key(&label.name),
            label.color.as_str(),
            label.description.as_deref(),
            label.updated_at
        ],
    )
    .await?;
    Ok(())
}

/// Deletes a label.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, id: LabelId) -> StoreResult<()> {
    tx.execute(sql!("DELETE FROM labels WHERE id = $1"), params![id]).await?;
    Ok(())
}
