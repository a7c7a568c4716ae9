//! Accounts by id.

use std::collections::HashMap;

use forge_types::account::Account;
use forge_types::id::AccountId;

use super::{BATCH, id_list, padded};
use crate::accounts::account_columns;
use crate::statement::sql;
use crate::{Conn, StoreResult};

/// Returns the accounts with these ids, by id; deleted ones are left out.
///
/// # Errors
/// Only faults of the database.
pub async fn accounts(conn: &mut Conn, ids: &[AccountId]) -> StoreResult<HashMap<AccountId, Account>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(BATCH) {
        let rows: Vec<Account> = conn
            .fetch_all(
                sql!(
                    "SELECT ",
                    account_columns!(),
                    " FROM accounts WHERE id IN (",
                    id_list!(),
                    ") AND status <> 'deleted'"
                ),
                padded(ids),
            )
            .await?;
        found.extend(rows.into_iter().map(|account| (account.id, account)));
    }
    Ok(found)
}
