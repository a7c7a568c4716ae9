//! Several repositories by id, by one statement.

use forge_types::id::{AccountId, RepositoryId};
use forge_types::repository::RepositoryAccess;

use crate::batch::{BATCH, later_id_list, padded};
use crate::row::Value;
use crate::statement::sql;
use crate::{Conn, StoreResult};

/// Returns the repositories with these ids, in no order, with the permission of `caller`.
///
/// # Errors
/// Only faults of the database.
pub async fn find_many(
    conn: &mut Conn,
    caller: Option<AccountId>,
    ids: &[RepositoryId],
) -> StoreResult<Vec<RepositoryAccess>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(BATCH) {
        let mut parameters = vec![Value::from(caller)];
        parameters.extend(padded(ids));
        let rows: Vec<RepositoryAccess> = conn
            .fetch_all(
                sql!(
                    "SELECT ",
                    repository_columns!(),
                    ", ",
                    permission_rank!(),
                    " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.id IN (",
                    later_id_list!(),
                    ")"
                ),
                parameters,
            )
            .await?;
        found.extend(rows);
    }
    Ok(found)
}
