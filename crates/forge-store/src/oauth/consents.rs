//! What people have agreed to give a client.

use forge_types::id::AccountId;
use forge_types::{Scopes, Timestamp};

use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

/// Notes what a person agreed to last.
///
/// # Errors
/// Only faults of the database.
pub async fn upsert(
    tx: &mut Tx,
    account_id: AccountId,
    client_id: &str,
    scopes: &Scopes,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO client_consents (account_id, client_id, scopes, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $4) ON CONFLICT (account_id, client_id) \
             DO UPDATE SET scopes = excluded.scopes, updated_at = excluded.updated_at"
        ),
        params![account_id, client_id, scopes.to_string(), now],
    )
    .await?;
    Ok(())
}
