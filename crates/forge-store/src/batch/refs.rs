//! What the refs of many repositories come to.

use std::collections::HashMap;

use forge_types::id::RepositoryId;

use super::{BATCH, id_list, padded};
use crate::row::from_row;
use crate::statement::sql;
use crate::{Conn, StoreResult};

/// What the refs of a repository come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefsSummary {
    /// The repository.
    pub repository_id: RepositoryId,
    /// Whether it has a branch or tag.
    pub has_refs: bool,
    /// Whether the branch that `HEAD` names exists.
    pub has_default_branch: bool,
}

from_row!(RefsSummary { repository_id, has_refs, has_default_branch });

/// Returns what the refs of each of these repositories come to.
///
/// # Errors
/// Only faults of the database.
pub async fn refs_summaries(
    conn: &mut Conn,
    repositories: &[RepositoryId],
) -> StoreResult<HashMap<RepositoryId, RefsSummary>> {
    let mut found = HashMap::new();
    for ids in repositories.chunks(BATCH) {
        let rows: Vec<RefsSummary> = conn
            .fetch_all(
                sql!(
                    "SELECT r.id AS repository_id, \
                     EXISTS (SELECT 1 FROM refs f WHERE f.repository_id = r.id AND f.kind = 0) AS has_refs, \
                     EXISTS (SELECT 1 FROM refs f WHERE f.repository_id = r.id \
                         AND f.name = 'refs/heads/' || r.default_branch) AS has_default_branch \
                     FROM repositories r WHERE r.id IN (",
                    id_list!(),
                    ")"
                ),
                padded(ids),
            )
            .await?;
        found.extend(rows.into_iter().map(|summary| (summary.repository_id, summary)));
    }
    Ok(found)
}
