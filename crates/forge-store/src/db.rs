//! The database: connections, transactions, and the dispatch of one SQL text to two drivers.
//!
//! SQLite has one writer (`BEGIN IMMEDIATE` on a pool of one, a fair queue with a deadline) and a pool of read-only
//! readers, and `ephemeral` keeps in a file of its own what may not wait for the writer. PostgreSQL has one pool. A [`Conn`]
//! reads, each statement by itself; a [`Tx`] is a transaction.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use forge_types::page::{Page, PageRequest};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection, Postgres, Sqlite, Transaction};

use crate::dialect::Dialect;
use crate::ephemeral;
use crate::error::{StoreError, StoreResult};
use crate::migrations::migrator;
use crate::row::{Counted, FromRow, Row, Value, postgres_arguments, sqlite_arguments};
use crate::statement::params;

/// A connection that was idle for longer is asked whether it still stands before it is used.
const IDLE_UNCHECKED: Duration = Duration::from_secs(1);

/// So many rows of an answer may wait for whoever reads them: that either side waits for the other costs more than many
/// rows.
const ROWS_AHEAD: usize = 1024;

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// The most connections to PostgreSQL, and the most SQLite readers.
    pub max_connections: u32,
    /// How long a request waits for a connection or for the SQLite writer before it is told to come back.
    pub acquire_timeout: Duration,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self { max_connections: 16, acquire_timeout: Duration::from_secs(10) }
    }
}

/// The database.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    statements: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool, ephemeral: SqlitePool },
    Postgres(PgPool),
}

impl Db {
    /// Opens the SQLite database in the file `path`, created if absent, and brings it to the present schema.
    ///
    /// # Errors
    /// `Unavailable` if the file cannot be opened or migrated.
    pub async fn open_sqlite(path: &Path, options: &DbOptions) -> StoreResult<Self> {
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(options.acquire_timeout)
            .row_buffer_size(ROWS_AHEAD)
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(options.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // When the disk is full, SQLite ends the transaction by itself and the driver's own rollback fails; the
            // driver then counts the transaction as open for ever. Such a connection is replaced.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(connect.clone())
            .await?;
        migrator(Dialect::Sqlite)
            .run_direct(None, &mut *writer.acquire().await?, false)
            .await
            .map_err(migration)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(connect.read_only(true));
        let ephemeral = ephemeral::pool(path, options.acquire_timeout);
        Ok(Self { pools: Pools::Sqlite { writer, readers, ephemeral }, statements: Arc::default() })
    }

    /// Connects to the PostgreSQL database at `url` and brings it to the present schema.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be reached; `Other` if the URL is malformed.
    pub async fn open_postgres(url: &str, options: &DbOptions) -> StoreResult<Self> {
        let connect: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // Asking whether the server is still there costs as much as a statement. One that answered a moment ago is.
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > IDLE_UNCHECKED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(connect.application_name("forge"))
            .await?;
        let mut connection = pool.acquire().await?;
        migrator(Dialect::Postgres).run_direct(None, &mut *connection, false).await.map_err(migration)?;
        drop(connection);
        Ok(Self { pools: Pools::Postgres(pool), statements: Arc::default() })
    }

    /// Returns a connection for reading; each statement sees what was committed before it.
    ///
    /// # Errors
    /// `Unavailable` if none is free in time.
    pub async fn read(&self) -> StoreResult<Conn> {
        let inner = match &self.pools {
            Pools::Sqlite { readers, .. } => Inner::SqliteRead(readers.acquire().await?),
            Pools::Postgres(pool) => Inner::PostgresRead(pool.acquire().await?),
        };
        Ok(Conn { inner, statements: Arc::clone(&self.statements) })
    }

    /// Begins a transaction that may write. Dropped without [`Tx::commit`], it changes nothing.
    ///
    /// # Errors
    /// `Unavailable` if no connection is free in time.
    pub async fn begin(&self) -> StoreResult<Tx> {
        let inner = match &self.pools {
            Pools::Sqlite { writer, .. } => Inner::SqliteTx(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Inner::PostgresTx(pool.begin().await?),
        };
        Ok(Tx { conn: Conn { inner, statements: Arc::clone(&self.statements) }, guard: None })
    }

    /// Executes one statement about what is forgotten soon and needs no transaction: on SQLite in a file of its own, so
    /// that it waits for no writer. Returns how many rows it changed.
    pub(crate) async fn execute_ephemeral(&self, sql: &'static str, values: Vec<Value>) -> StoreResult<u64> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &self.pools {
            Pools::Sqlite { ephemeral, .. } => {
                sqlx::query_with(sql, sqlite_arguments(values)?).execute(ephemeral).await?.rows_affected()
            }
            Pools::Postgres(pool) => {
                sqlx::query_with(sql, postgres_arguments(values)?).execute(pool).await?.rows_affected()
            }
        })
    }

    /// Returns how many statements have been sent since the database was opened, `BEGIN` and `COMMIT` not counted.
    #[must_use]
    pub fn statement_count(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Returns whether the database is SQLite, where one process sees every change.
    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Writes a consistent copy of a SQLite database into the new file `target`.
    ///
    /// # Errors
    /// `Other` if the database is PostgreSQL, which has its own tools; `Unavailable` if the file cannot be written.
    pub async fn copy_sqlite_to(&self, target: &Path) -> StoreResult<()> {
        let Pools::Sqlite { writer, .. } = &self.pools else {
            return Err(StoreError::Other(sqlx::Error::Protocol("not a SQLite database".to_owned())));
        };
        let target = target.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO $1").bind(target).execute(writer).await?;
        Ok(())
    }

    /// Closes all connections, after those in use have been returned.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, ephemeral } => {
                ephemeral.close().await;
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Db {
    /// Runs statements that the forge never runs. For [`crate::scratch`] alone.
    pub(crate) async fn execute_raw(&self, statements: String) -> StoreResult<()> {
        let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements));
        match &self.pools {
            Pools::Sqlite { writer, .. } => statements.execute(writer).await.map(|_| ())?,
            Pools::Postgres(pool) => statements.execute(pool).await.map(|_| ())?,
        }
        Ok(())
    }
}

fn migration(error: sqlx::migrate::MigrateError) -> StoreError {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => error.into(),
        other => StoreError::Other(sqlx::Error::Migrate(Box::new(other))),
    }
}

enum Inner {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteTx(Transaction<'static, Sqlite>),
    PostgresRead(PoolConnection<Postgres>),
    PostgresTx(Transaction<'static, Postgres>),
}

enum Native<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// A connection that store functions read through.
pub struct Conn {
    inner: Inner,
    statements: Arc<AtomicU64>,
}

impl Conn {
    /// Returns whether the database is SQLite.
    pub(crate) const fn is_sqlite(&self) -> bool {
        matches!(self.inner, Inner::SqliteRead(_) | Inner::SqliteTx(_))
    }

    fn native(&mut self) -> Native<'_> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &mut self.inner {
            Inner::SqliteRead(connection) => Native::Sqlite(connection),
            Inner::SqliteTx(transaction) => Native::Sqlite(transaction),
            Inner::PostgresRead(connection) => Native::Postgres(connection),
            Inner::PostgresTx(transaction) => Native::Postgres(transaction),
        }
    }

    /// Returns the first row, if there is one.
    pub(crate) async fn fetch_optional<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> StoreResult<Option<T>> {
        match self.native() {
            Native::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite_arguments(values)?);
                let row = query.fetch_optional(connection).await?;
                row.map(|row| T::from_row(&Row::Sqlite(&row))).transpose()
            }
            Native::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(values)?);
                let row = query.fetch_optional(connection).await?;
                row.map(|row| T::from_row(&Row::Postgres(&row))).transpose()
            }
        }
    }

    /// Returns a page of a list whose rows say how long it is. The statement's last two parameters, which this adds, are
    /// the limit and the offset.
    pub(crate) async fn fetch_page<T: FromRow>(
        &mut self,
        sql: &'static str,
        mut values: Vec<Value>,
        page: PageRequest,
    ) -> StoreResult<Page<T>> {
        values.extend(params![page.limit_with_lookahead(), page.offset()]);
        Ok(Counted::page(self.fetch_all(sql, values).await?, page))
    }

    /// Returns the one row that the statement always has.
    pub(crate) async fn fetch_one<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> StoreResult<T> {
        self.fetch_optional(sql, values).await?.ok_or_else(|| StoreError::Other(sqlx::Error::RowNotFound))
    }

    /// Returns all rows.
    pub(crate) async fn fetch_all<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> StoreResult<Vec<T>> {
        match self.native() {
            Native::Sqlite(connection) => {
                let rows = sqlx::query_with(sql, sqlite_arguments(values)?).fetch_all(connection).await?;
                rows.iter().map(|row| T::from_row(&Row::Sqlite(row))).collect()
            }
            Native::Postgres(connection) => {
                let rows = sqlx::query_with(sql, postgres_arguments(values)?).fetch_all(connection).await?;
                rows.iter().map(|row| T::from_row(&Row::Postgres(row))).collect()
            }
        }
    }
}

/// What the transactions of one request have in common: whether they may be committed, and whether any was.
#[derive(Debug, Default)]
pub struct CommitGuard {
    is_shut: AtomicBool,
    has_committed: AtomicBool,
}

impl CommitGuard {
    /// Refuses commits from now on, or no longer.
    pub fn shut(&self, is_shut: bool) {
        self.is_shut.store(is_shut, Ordering::SeqCst);
    }

    /// Returns whether anything has been made durable.
    pub fn has_committed(&self) -> bool {
        self.has_committed.load(Ordering::SeqCst)
    }
}

/// A transaction. Everything a use case changes goes through one, with its audit row.
pub struct Tx {
    conn: Conn,
    guard: Option<Arc<CommitGuard>>,
}

impl Tx {
    /// Executes a statement and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, values: Vec<Value>) -> StoreResult<u64> {
        Ok(match self.conn.native() {
            Native::Sqlite(connection) => {
                sqlx::query_with(sql, sqlite_arguments(values)?).execute(connection).await?.rows_affected()
            }
            Native::Postgres(connection) => {
                sqlx::query_with(sql, postgres_arguments(values)?).execute(connection).await?.rows_affected()
            }
        })
    }

    /// Has a guard asked before the commit.
    #[must_use]
    pub fn guarded(self, guard: Arc<CommitGuard>) -> Self {
        Self { guard: Some(guard), ..self }
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// `Unavailable` or `Contention` if the database could not, `Shut` if a guard is; then nothing was changed.
    pub async fn commit(self) -> StoreResult<()> {
        if self.guard.as_ref().is_some_and(|guard| guard.is_shut.load(Ordering::SeqCst)) {
            return Err(StoreError::Shut);
        }
        if let Some(guard) = &self.guard {
            guard.has_committed.store(true, Ordering::SeqCst);
        }
        match self.conn.inner {
            Inner::SqliteTx(transaction) => transaction.commit().await?,
            Inner::PostgresTx(transaction) => transaction.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
    }
}

impl std::ops::Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

#[cfg(test)]
impl Db {
    /// Prepares `sql` and returns the database's complaint, if it has one.
    pub(crate) async fn prepare(&self, sql: String, is_ephemeral: bool) -> Result<(), String> {
        use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};
        let sql = AssertSqlSafe(sql).into_sql_str();
        match &self.pools {
            Pools::Sqlite { writer, ephemeral, .. } => {
                let pool = if is_ephemeral { ephemeral } else { writer };
                let mut connection = pool.acquire().await.map_err(|error| error.to_string())?;
                connection.prepare(sql).await.map(drop).map_err(|error| error.to_string())
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await.map_err(|error| error.to_string())?;
                connection.prepare(sql).await.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use forge_types::ErrorKind;

    use super::*;
    use crate::settings;

    #[tokio::test]
    async fn a_full_disk_refuses_writes_only_for_as_long_as_it_is_full() {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&directory.path().join("a.db"), &DbOptions::default()).await.unwrap();
        let Pools::Sqlite { writer, .. } = &db.pools else { unreachable!("it was opened as SQLite") };
        // No page more than there are: what a full disk looks like to SQLite.
        sqlx::query("PRAGMA max_page_count = 1").execute(writer).await.unwrap();

        let now = forge_types::Timestamp::from_micros(0);
        let large = "x".repeat(1 << 20);
        let mut tx = db.begin().await.unwrap();
        let refused = settings::upsert(&mut tx, "large", &large, now).await.unwrap_err();
        drop(tx);
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
        let error = forge_types::Error::from(refused);
        assert!(matches!(error.kind(), ErrorKind::Unavailable(_)));

        // The replaced connection knows no limit: the disk has room again.
        let mut tx = db.begin().await.unwrap();
        settings::upsert(&mut tx, "large", &large, now).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = db.read().await.unwrap();
        assert_eq!(settings::find(&mut conn, "large").await.unwrap().as_deref(), Some(large.as_str()));
    }
}
