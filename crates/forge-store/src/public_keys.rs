//! SSH public keys of accounts.

use forge_types::Timestamp;
use forge_types::id::{AccountId, PublicKeyId};
use forge_types::page::{Page, PageRequest};
use forge_types::public_key::{PublicKey, PublicKeyUse};

use crate::row::from_row;
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

from_row!(PublicKey { id, account_id, usage, title, key, fingerprint, created_at });

/// The columns of a [`PublicKey`].
macro_rules! public_key_columns {
    () => {
        "id, account_id, usage, title, key, fingerprint, created_at"
    };
}

/// A key of an account by its fingerprint.
macro_rules! by_fingerprint {
    () => {
        "SELECT id, account_id, usage, title, key, fingerprint, created_at FROM public_keys \
         WHERE account_id = $1 AND usage = $2 AND fingerprint = $3"
    };
}

/// What a new key is made of.
#[derive(Clone, Debug)]
pub struct NewPublicKey<'a> {
    /// Whose it is.
    pub account_id: AccountId,
    /// What it is for.
    pub usage: PublicKeyUse,
    /// The name its owner gives it.
    pub title: &'a str,
    /// Algorithm and key, without comment.
    pub key: &'a str,
    /// `SHA256:` and the unpadded base64 of the key's hash.
    pub fingerprint: &'a str,
}

/// Inserts a key.
///
/// # Errors
/// `Duplicate` if anyone uses this key for the same already.
pub async fn insert(tx: &mut Tx, new: &NewPublicKey<'_>, now: Timestamp) -> StoreResult<PublicKey> {
    tx.fetch_one(
        sql!(
            "INSERT INTO public_keys (account_id, usage, title, key, fingerprint, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING ",
            public_key_columns!()
        ),
        params![new.account_id, new.usage.as_str(), new.title, new.key, new.fingerprint, now],
    )
    .await
}

/// Returns one key of an account.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    account: AccountId,
    usage: PublicKeyUse,
    id: PublicKeyId,
) -> StoreResult<Option<PublicKey>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            public_key_columns!(),
            " FROM public_keys WHERE id = $3 AND account_id = $1 AND usage = $2"
        ),
        params![account, usage.as_str(), id],
    )
    .await
}

/// Returns the keys of an account, oldest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    account: AccountId,
    usage: PublicKeyUse,
    page: PageRequest,
) -> StoreResult<Page<PublicKey>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            public_key_columns!(),
            ", COUNT(*) OVER () AS total FROM public_keys WHERE account_id = $1 AND usage = $2 ORDER BY id LIMIT $3 OFFSET $4"
        ),
        params![account, usage.as_str()],
        page,
    )
    .await
}

/// Deletes one key of an account; returns it if there was one.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(
    tx: &mut Tx,
    account: AccountId,
    usage: PublicKeyUse,
    id: PublicKeyId,
) -> StoreResult<Option<PublicKey>> {
    tx.fetch_optional(
        sql!(
            "DELETE FROM public_keys WHERE id = $3 AND account_id = $1 AND usage = $2 RETURNING ",
            public_key_columns!()
        ),
        params![account, usage.as_str(), id],
    )
    .await
}

/// Deletes every key of an account, whatever it is for; returns them.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> StoreResult<Vec<PublicKey>> {
    tx.fetch_all(
        sql!("DELETE FROM public_keys WHERE account_id = $1 RETURNING ", public_key_columns!()),
        params![account],
    )
    .await
}

/// Returns the key of an account that has this fingerprint.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_fingerprint(
    conn: &mut Conn,
    account: AccountId,
    usage: PublicKeyUse,
    fingerprint: &str,
) -> StoreResult<Option<PublicKey>> {
    conn.fetch_optional(sql!(by_fingerprint!()), params![account, usage.as_str(), fingerprint]).await
}

/// Returns whether an account has the key with this fingerprint, and keeps it so until the transaction ends: whoever withdraws
/// the key waits for the commit.
///
/// # Errors
/// Only faults of the database.
pub async fn hold(
    tx: &mut Tx,
    account: AccountId,
    usage: PublicKeyUse,
    fingerprint: &str,
) -> StoreResult<bool> {
    // SQLite has one writer, which is this transaction.
    let statement =
        if tx.is_sqlite() { sql!(by_fingerprint!()) } else { postgres_sql!(by_fingerprint!(), " FOR SHARE") };
    let held: Option<PublicKey> =
        tx.fetch_optional(statement, params![account, usage.as_str(), fingerprint]).await?;
    Ok(held.is_some_and(|key| key.fingerprint == fingerprint))
}
