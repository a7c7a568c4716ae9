//! The second file of a SQLite database: what is written at once, on requests that else write nothing, and forgotten
//! after minutes. It is made when first needed, is in no backup, and may be deleted while no server runs.
//!
//! A power failure may take the last rows. A machine takes longer to start than they would have mattered.

use std::path::Path;
use std::time::Duration;

use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

const FILE: &str = "ephemeral.db";
const SCHEMA: &str =
    "CREATE TABLE IF NOT EXISTS proofs_seen (key BLOB PRIMARY KEY, until BIGINT NOT NULL) WITHOUT ROWID";

/// Returns the pool, of one connection, for the file beside the database in `path`.
pub(crate) fn pool(path: &Path, acquire_timeout: Duration) -> SqlitePool {
    let connect = SqliteConnectOptions::new()
        .filename(path.with_file_name(FILE))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(acquire_timeout);
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::query(SCHEMA).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(connect)
}
