//! Authenticator apps of people, and the codes for those who lost one.

use forge_types::Timestamp;
use forge_types::id::AccountId;

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// An authenticator app of a person.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// The seed, sealed.
    pub seed: String,
    /// When the person showed that the app makes the right codes; none while that is open.
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last code that was used.
    pub last_step: i64,
}
from_row!(SecondFactor { seed, confirmed_at, last_step });

/// Returns the app of an account.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, account: AccountId) -> StoreResult<Option<SecondFactor>> {
    conn.fetch_optional(
        sql!("SELECT seed, confirmed_at, last_step FROM second_factors WHERE account_id = $1"),
        params![account],
    )
    .await
}

/// Keeps a seed that is to be confirmed, in place of another such; false if one is confirmed.
///
/// # Errors
/// `Constraint` if the account is not a human.
pub async fn begin(tx: &mut Tx, account: AccountId, seed: &str, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO second_factors (account_id, seed, created_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (account_id) DO UPDATE SET seed = excluded.seed, created_at = excluded.created_at, \
                 last_step = 0 WHERE second_factors.confirmed_at IS NULL"
            ),
            params![account, seed, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Notes that the code of a step was used; false if one of it or a later one was.
///
/// # Errors
/// Only faults of the database.
pub async fn use_step(tx: &mut Tx, account: AccountId, step: i64) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("UPDATE second_factors SET last_step = $2 WHERE account_id = $1 AND last_step < $2"),
            params![account, step],
        )
        .await?;
    Ok(rows == 1)
}

/// Makes the app count from now on, with these codes for whoever loses it.
///
/// # Errors
/// Only faults of the database.
pub async fn confirm(tx: &mut Tx, account: AccountId, codes: &[[u8; 32]], now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE second_factors SET confirmed_at = $2 WHERE account_id = $1"),
        params![account, now],
    )
    .await?;
    tx.execute(sql!("DELETE FROM recovery_codes WHERE account_id = $1"), params![account]).await?;
    for hash in codes {
        tx.execute(
            sql!("INSERT INTO recovery_codes (account_id, hash) VALUES ($1, $2)"),
            params![account, hash],
        )
        .await?;
    }
    Ok(())
}

/// Uses up a code of whoever lost the app; false if it is none, or was used.
///
/// # Errors
/// Only faults of the database.
pub async fn use_recovery_code(
    tx: &mut Tx,
    account: AccountId,
    hash: &[u8; 32],
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE recovery_codes SET used_at = $3 WHERE account_id = $1 AND hash = $2 AND used_at IS NULL"
            ),
            params![account, hash, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Returns how many codes for whoever loses the app are left.
///
/// # Errors
/// Only faults of the database.
pub async fn count_recovery_codes(conn: &mut Conn, account: AccountId) -> StoreResult<i64> {
    struct Left {
        number: i64,
    }
    from_row!(Left { number });
    let left: Left = conn
        .fetch_one(
            sql!("SELECT COUNT(*) AS number FROM recovery_codes WHERE account_id = $1 AND used_at IS NULL"),
            params![account],
        )
        .await?;
    Ok(left.number)
}

/// Removes the app and its codes; false if there was none.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, account: AccountId) -> StoreResult<bool> {
    tx.execute(sql!("DELETE FROM recovery_codes WHERE account_id = $1"), params![account]).await?;
    Ok(tx.execute(sql!("DELETE FROM second_factors WHERE account_id = $1"), params![account]).await? == 1)
}
