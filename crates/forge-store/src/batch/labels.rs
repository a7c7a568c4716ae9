//! Labels of many repositories.

use std::collections::HashMap;

use forge_types::id::RepositoryId;
use forge_types::label::Label;
use forge_types::window::{Window, Windowed};

use super::{BATCH, Placed, gather, id_list, in_window, padded, window_parameters};
use crate::row::{FromRow, Row, like_escaped};
use crate::statement::sql;
use crate::{Conn, StoreResult};

/// What labels are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LabelOrderField {
    /// When they were created.
    CreatedAt,
    /// Their name.
    Name,
}

/// How labels are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LabelOrder {
    /// What they are sorted by.
    pub field: LabelOrderField,
    /// Whether the largest comes first.
    pub is_descending: bool,
}

/// Which labels of a repository are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Labels {
    /// A text in their name or description.
    pub query: Option<String>,
    /// How they are sorted.
    pub order: LabelOrder,
    /// Which part of them.
    pub window: Window,
}

struct LabelRow(Placed<RepositoryId, Label>);

impl FromRow for LabelRow {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let repository_id = row.get("repository_id")?;
        let label = Label {
            id: row.get("id")?,
            repository_id,
            name: row.get("name")?,
            color: row.get("color")?,
            description: row.get("description")?,
            is_default: row.get("is_default")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        };
        Placed::read(row, repository_id, label).map(Self)
    }
}

/// Returns the labels that are wanted of each of these repositories.
///
/// # Errors
/// Only faults of the database.
pub async fn labels(
    conn: &mut Conn,
    repositories: &[RepositoryId],
    wanted: &Labels,
) -> StoreResult<HashMap<RepositoryId, Windowed<Label>>> {
    let mut lists = HashMap::new();
    for ids in repositories.chunks(BATCH) {
        let mut parameters = padded(ids);
        parameters.extend(window_parameters(wanted.window));
        parameters.push(wanted.query.as_deref().map(like_escaped).into());
        parameters.push((wanted.order.field == LabelOrderField::Name).into());
        parameters.push(wanted.order.is_descending.into());
        let rows: Vec<LabelRow> = conn
            .fetch_all(
                sql!(
                    "SELECT id, repository_id, name, color, description, is_default, created_at, updated_at, total, \
                     position FROM (SELECT *, CASE WHEN $107 THEN total + 1 - ascending ELSE ascending END AS position \
                     FROM (SELECT l.*, COUNT(*) OVER (PARTITION BY l.repository_id) AS total, ROW_NUMBER() OVER \
                     (PARTITION BY l.repository_id ORDER BY CASE WHEN $106 THEN l.name_key END, l.id) AS ascending \
                     FROM labels l WHERE l.repository_id IN (",
                    id_list!(),
                    ") AND (CAST($105 AS TEXT) IS NULL OR l.name_key LIKE '%' || $105 || '%' ESCAPE '\\' \
                     OR LOWER(COALESCE(l.description, '')) LIKE '%' || $105 || '%' ESCAPE '\\')) AS numbered) AS placed WHERE ",
                    in_window!(),
                    " ORDER BY repository_id, position"
                ),
                parameters,
            )
            .await?;
        gather(rows.into_iter().map(|LabelRow(row)| row).collect(), wanted.window, &mut lists);
    }
    Ok(lists)
}
