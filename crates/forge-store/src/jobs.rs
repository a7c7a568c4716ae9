//! Work asked for in a transaction and done after it, at least once. A job is claimed for a while; one whose worker
//! dies is claimed again when that time is over.

use forge_types::Timestamp;
use forge_types::id::JobId;

use crate::row::from_row;
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// With what, as JSON.
    pub payload: String,
    /// How often it was claimed, this time included.
    pub attempts: i64,
}

from_row!(Job { id, kind, payload, attempts });

/// Inserts a job to be done from `run_after` on.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(
    tx: &mut Tx,
    kind: &str,
    payload: &str,
    run_after: Timestamp,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!("INSERT INTO jobs (kind, payload, run_after, created_at) VALUES ($1, $2, $3, $4)"),
        params![kind, payload, run_after, now],
    )
    .await?;
    Ok(())
}

/// Inserts a job unless one of the same kind and payload waits already.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_once(
    tx: &mut Tx,
    kind: &str,
    payload: &str,
    run_after: Timestamp,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO jobs (kind, payload, run_after, created_at) \
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) \
             WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE kind = $1 AND payload = $2 AND claimed_until IS NULL)"
        ),
        params![kind, payload, run_after, now],
    )
    .await?;
    Ok(())
}

/// Returns whether a job can be claimed.
///
/// # Errors
/// Only faults of the database.
pub async fn is_due(conn: &mut Conn, now: Timestamp) -> StoreResult<bool> {
    struct Due {
        is_due: bool,
    }
    from_row!(Due { is_due });
    let row: Due = conn
        .fetch_one(
            sql!(
                "SELECT EXISTS (SELECT 1 FROM jobs WHERE run_after <= $1 \
                 AND (claimed_until IS NULL OR claimed_until <= $1)) AS is_due"
            ),
            params![now],
        )
        .await?;
    Ok(row.is_due)
}

/// Claims the job that has waited longest, until `until`.
///
/// # Errors
/// Only faults of the database.
pub async fn claim(tx: &mut Tx, now: Timestamp, until: Timestamp) -> StoreResult<Option<Job>> {
    // Only PostgreSQL has workers side by side; they pass over rows that others hold.
    let statement = if tx.is_sqlite() {
        sql!(
            "UPDATE jobs SET claimed_until = $2, attempts = attempts + 1 WHERE id = ( \
                 SELECT id FROM jobs WHERE run_after <= $1 AND (claimed_until IS NULL OR claimed_until <= $1) \
                 ORDER BY run_after, id LIMIT 1) RETURNING id, kind, payload, attempts"
        )
    } else {
        postgres_sql!(
            "UPDATE jobs SET claimed_until = $2, attempts = attempts + 1 WHERE id = ( \
                 SELECT id FROM jobs WHERE run_after <= $1 AND (claimed_until IS NULL OR claimed_until <= $1) \
                 ORDER BY run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, kind, payload, attempts"
        )
    };
    tx.fetch_optional(statement, params![now, until]).await
}

/// Removes a job that is done.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, id: JobId) -> StoreResult<()> {
    tx.execute(sql!("DELETE FROM jobs WHERE id = $1"), params![id]).await?;
    Ok(())
}

/// Puts a job that failed back, to be tried again from `run_after` on.
///
/// # Errors
/// Only faults of the database.
pub async fn retry(tx: &mut Tx, id: JobId, run_after: Timestamp, error: &str) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE jobs SET claimed_until = NULL, run_after = $2, last_error = $3 WHERE id = $1"),
        params![id, run_after, error],
    )
    .await?;
    Ok(())
}

/// Returns how many jobs wait or run.
///
/// # Errors
/// Only faults of the database.
pub async fn count(conn: &mut Conn) -> StoreResult<i64> {
    struct Count {
        waiting: i64,
    }
    from_row!(Count { waiting });
    let count: Count = conn.fetch_one(sql!("SELECT COUNT(*) AS waiting FROM jobs"), params![]).await?;
    Ok(count.waiting)
}
