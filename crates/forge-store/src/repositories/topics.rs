//! The topics of a repository.

use forge_types::id::RepositoryId;

use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

/// Replaces all topics of a repository.
///
/// # Errors
/// `Duplicate` if a topic is given twice.
pub async fn replace_topics(tx: &mut Tx, repository: RepositoryId, topics: &[String]) -> StoreResult<()> {
    tx.execute(sql!("DELETE FROM repository_topics WHERE repository_id = $1"), params![repository]).await?;
    for topic in topics {
        tx.execute(
            sql!("INSERT INTO repository_topics (repository_id, topic) VALUES ($1, $2)"),
            params![repository, topic],
        )
        .await?;
    }
    Ok(())
}
