//! Counters of attempts in a window, the same on all nodes.

use std::time::Duration;

use forge_types::Timestamp;

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

/// What a counter says.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// When the present window began.
    pub window_start: Timestamp,
    /// How many attempts it has seen.
    pub attempts: i64,
}
from_row!(Throttle { window_start, attempts });

/// Counts an attempt; a window that is over begins again.
///
/// # Errors
/// Only faults of the database.
pub async fn count_attempt(
    tx: &mut Tx,
    name: &str,
    window: Duration,
    now: Timestamp,
) -> StoreResult<Throttle> {
    tx.fetch_one(
        sql!(
            "INSERT INTO throttles (name, window_start, attempts) VALUES ($1, $2, 1) ON CONFLICT (name) DO UPDATE SET \
             attempts = CASE WHEN throttles.window_start <= $3 THEN 1 ELSE throttles.attempts + 1 END, \
             window_start = CASE WHEN throttles.window_start <= $3 THEN excluded.window_start \
             ELSE throttles.window_start END RETURNING window_start, attempts"
        ),
        params![name, now, now.minus(window)],
    )
    .await
}

/// Forgets a counter.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, name: &str) -> StoreResult<()> {
    tx.execute(sql!("DELETE FROM throttles WHERE name = $1"), params![name]).await?;
    Ok(())
}

/// Forgets the counters whose window began before `horizon`; returns how many.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(tx: &mut Tx, horizon: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!("DELETE FROM throttles WHERE window_start < $1"), params![horizon]).await
}
