//! Facts about the installation itself, by name.

use forge_types::Timestamp;

use crate::row::from_row;
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

struct Setting {
    value: String,
}
from_row!(Setting { value });

/// Returns the value stored under `name`.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, name: &str) -> StoreResult<Option<String>> {
    let row: Option<Setting> =
        conn.fetch_optional(sql!("SELECT value FROM settings WHERE name = $1"), params![name]).await?;
    Ok(row.map(|setting| setting.value))
}

/// Returns the value stored under `name`, which nobody replaces until the transaction ends.
///
/// # Errors
/// Only faults of the database.
pub async fn find_and_hold(tx: &mut Tx, name: &str) -> StoreResult<Option<String>> {
    // SQLite has one writer, which is this transaction.
    let statement = if tx.is_sqlite() {
        sql!("SELECT value FROM settings WHERE name = $1")
    } else {
        postgres_sql!("SELECT value FROM settings WHERE name = $1 FOR SHARE")
    };
    let row: Option<Setting> = tx.fetch_optional(statement, params![name]).await?;
    Ok(row.map(|setting| setting.value))
}

/// Stores `value` under `name`, whether or not there was one.
///
/// # Errors
/// Only faults of the database.
pub async fn upsert(tx: &mut Tx, name: &str, value: &str, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"
        ),
        params![name, value, now],
    )
    .await?;
    Ok(())
}

/// Stores `value` under `name` unless there is one already; returns whether it was stored.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_if_absent(tx: &mut Tx, name: &str, value: &str, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"),
            params![name, value, now],
        )
        .await?;
    Ok(rows == 1)
}
