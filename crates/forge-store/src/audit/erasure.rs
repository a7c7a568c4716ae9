//! Emptying personal fields, and nothing else: the commitment to them stays, so that the chain still holds.

use forge_types::id::AccountId;

use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

/// Empties the personal fields of everything that this account did and that was done about it; returns of how many entries.
/// Entries of version 1, whose hash covers these fields, stay as they are.
///
/// # Errors
/// Only faults of the database.
pub async fn erase_personal(tx: &mut Tx, account: AccountId) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE audit_events SET ip = NULL, user_agent = NULL, personal = NULL, personal_salt = NULL \
             WHERE (actor_id = $1 OR acting_id = $1 OR subject_id = $1) AND version > 1 AND personal_salt IS NOT NULL"
        ),
        params![account],
    )
    .await
}
