//! Accounts as a host, proxy or OpenID provider knows them.

use forge_types::Timestamp;
use forge_types::account::Account;
use forge_types::id::AccountId;

use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// Returns the account a provider knows under `subject`, whatever its status.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, provider: &str, subject: &str) -> StoreResult<Option<Account>> {
    conn.fetch_optional(
        sql!(
            "SELECT a.id, a.kind, a.login, a.name, a.email, a.is_email_public, a.description, a.status, a.is_site_admin, \
             a.created_by, a.created_at, a.updated_at FROM external_identities e \
             JOIN accounts a ON a.id = e.account_id WHERE e.provider = $1 AND e.subject = $2"
        ),
        params![provider, subject],
    )
    .await
}

/// Links an account to what a provider calls it.
///
/// # Errors
/// `Duplicate` if the provider's subject has an account already.
pub async fn insert(
    tx: &mut Tx,
    provider: &str,
    subject: &str,
    account_id: AccountId,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!("INSERT INTO external_identities (provider, subject, account_id, created_at) VALUES ($1, $2, $3, $4)"),
        params![provider, subject, account_id, now],
    )
    .await?;
    Ok(())
}
