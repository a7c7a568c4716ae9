//! Finding repositories by words, topic and owner.

use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{RepositoryFilter, RepositoryOrder, VisibleRepositories};

use super::list::{list_parameters, only};
use crate::row::{Counted, like_escaped};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

/// How many words and topics a search can have; what is beyond is the service's to refuse.
pub const MAX_TERMS: usize = 4;

/// What is searched for; everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct RepositorySearch {
    /// The owner.
    pub owner: Option<AccountId>,
    /// Words that stand in the name, description or topics, at most four.
    pub words: Vec<String>,
    /// Topics, at most four.
    pub topics: Vec<String>,
    /// What the repository has to be.
    pub filter: RepositoryFilter,
}

/// Returns the repositories that match.
///
/// # Errors
/// Only faults of the database.
pub async fn search(
    conn: &mut Conn,
    visible: VisibleRepositories,
    wanted: &RepositorySearch,
    order: RepositoryOrder,
    page: PageRequest,
) -> StoreResult<Page<RepositoryAccess>> {
    let word = |index: usize| wanted.words.get(index).map(|word| format!("%{}%", like_escaped(word)));
    let topic = |index: usize| wanted.topics.get(index).map(|topic| format!("% {} %", like_escaped(topic)));
    let mut values = list_parameters(&visible, &wanted.filter, order, page);
    values.extend(params![
        wanted.owner,
        word(0),
        word(1),
        word(2),
        word(3),
        topic(0),
        topic(1),
        topic(2),
        topic(3),
        only(&visible),
    ]);
    let rows = conn
        .fetch_all(
            sql!(
                "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission, LOWER(r.name || ' ' || COALESCE(r.description, '')) AS words \
                 FROM repositories r JOIN accounts o ON o.id = r.owner_id \
                 WHERE CAST($13 AS BIGINT) IS NULL OR r.owner_id = $13) v WHERE ",
                is_visible!(),
                " AND (CAST($22 AS TEXT) IS NULL OR $22 LIKE '%,' || v.id || ',%') AND ",
                passes_filter!(),
                " AND ",
                matches_terms!(),
                " ORDER BY ",
                in_order!(),
                " LIMIT $11 OFFSET $12"
            ),
            values,
        )
        .await?;
    Ok(Counted::page(rows, page))
}
