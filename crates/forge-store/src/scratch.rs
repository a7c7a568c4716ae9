//! PostgreSQL databases that live as long as one test.
//!
//! Development only; nothing of the running forge comes here. A template is migrated once per cluster and schema, and
//! each database is a copy of it, which costs tens of milliseconds where migrating costs a second.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::dialect::Dialect;
use crate::migrations::migrator;
use crate::{Db, DbOptions, StoreError, StoreResult};

/// Any number, as long as everybody who makes the template uses the same.
const TEMPLATE_LOCK: i64 = 0x0066_6f72_6765;

/// A database of its own. Dropping this ends it, with every connection to it.
#[derive(Debug)]
pub struct ScratchDatabase {
    cluster: PgConnectOptions,
    name: String,
}

/// What a new database holds.
#[derive(Clone, Copy, Debug)]
enum Start {
    Migrated,
    Empty,
}

impl ScratchDatabase {
    /// Creates a database in the cluster that `FORGE_TEST_POSTGRES` names.
    ///
    /// # Panics
    /// When the variable is missing or the cluster cannot be used: a test that needs PostgreSQL is never skipped.
    pub async fn create() -> Self {
        Self::create_from(Start::Migrated).await
    }

    /// Creates a database without a schema, for a program that brings it itself.
    ///
    /// # Panics
    /// As [`Self::create`].
    pub async fn create_empty() -> Self {
        Self::create_from(Start::Empty).await
    }

    async fn create_from(start: Start) -> Self {
        let Ok(url) = std::env::var("FORGE_TEST_POSTGRES") else {
            panic!(
                "FORGE_TEST_POSTGRES is not set: run the tests with `cargo xtask test`, \
                 or start a PostgreSQL for them with `cargo xtask postgres`"
            );
        };
        Self::create_in(&url, start).await.unwrap_or_else(|error| {
            panic!("FORGE_TEST_POSTGRES names a cluster that cannot be used: {error}")
        })
    }

    async fn create_in(url: &str, start: Start) -> StoreResult<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let cluster: PgConnectOptions = url.parse()?;
        let mut connection = cluster.connect().await?;
        let template = match start {
            Start::Migrated => template(&cluster, &mut connection).await?,
            Start::Empty => "template1".to_owned(),
        };
        let name = format!("forge_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // A process that was killed left its databases behind, and its number may come again.
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        execute(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        connection.close().await?;
        Ok(Self { cluster, name })
    }

    /// Returns the URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        self.cluster.clone().database(&self.name).to_url_lossy().into()
    }

    /// Takes the database away from everybody who uses it, until it is brought back.
    ///
    /// # Panics
    /// When the cluster cannot be used.
    pub async fn take_away(&self) {
        self.admit(false).await.expect("the cluster takes statements");
    }

    /// Brings the database back.
    ///
    /// # Panics
    /// When the cluster cannot be used.
    pub async fn bring_back(&self) {
        self.admit(true).await.expect("the cluster takes statements");
    }

    async fn admit(&self, is_admitted: bool) -> StoreResult<()> {
        let mut connection = self.cluster.connect().await?;
        let name = &self.name;
        execute(&mut connection, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {is_admitted}")).await?;
        if !is_admitted {
            let users = format!("FROM pg_stat_activity WHERE datname = '{name}'");
            execute(&mut connection, format!("SELECT pg_terminate_backend(pid) {users}")).await?;
        }
        connection.close().await?;
        Ok(())
    }

    /// Opens the database.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self) -> Db {
        let options = DbOptions { max_connections: 8, ..DbOptions::default() };
        Db::open_postgres(&self.url(), &options).await.expect("the scratch database opens")
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        let (cluster, name) = (self.cluster.clone(), std::mem::take(&mut self.name));
        let end = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = cluster.connect().await.map_err(std::io::Error::other)?;
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                execute(&mut connection, statement).await.map_err(std::io::Error::other)
            })
        };
        // A thread of its own, as the test's runtime cannot be waited for here. The cluster ends soon anyway.
        let _ended: Result<std::io::Result<()>, _> = std::thread::spawn(end).join();
    }
}

/// Returns the name of the migrated template, made by whoever comes first.
async fn template(cluster: &PgConnectOptions, connection: &mut PgConnection) -> StoreResult<String> {
    let name = format!("forge_template_{:016x}", schema_hash());
    sqlx::query("SELECT pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *connection).await?;
    let exists = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(&name);
    if exists.fetch_optional(&mut *connection).await?.is_none() {
        let unfinished = format!("{name}_unfinished");
        execute(connection, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await?;
        execute(connection, format!("CREATE DATABASE {unfinished}")).await?;
        let mut inside = cluster.clone().database(&unfinished).connect().await?;
        let migrated = migrator(Dialect::Postgres).run_direct(None, &mut inside, false).await;
        migrated.map_err(|error| StoreError::Other(sqlx::Error::Migrate(Box::new(error))))?;
        inside.close().await?;
        execute(connection, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await?;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(connection).await?;
    Ok(name)
}

/// Does to a database what somebody does who has its files or its password: runs these statements, whatever they are.
///
/// # Errors
/// What the database says.
pub async fn tamper(db: &Db, statements: &str) -> StoreResult<()> {
    db.execute_raw(statements.to_owned()).await
}

fn schema_hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    for migration in migrator(Dialect::Postgres).migrations.iter() {
        migration.checksum.hash(&mut hasher);
    }
    hasher.finish()
}

async fn execute(connection: &mut PgConnection, statement: String) -> StoreResult<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_scratch_database_has_the_schema_and_ends_with_its_owner() {
        let scratch = ScratchDatabase::create().await;
        let db = scratch.open().await;
        let admin_exists =
            crate::accounts::site_admin_exists(&mut db.read().await.expect("a connection")).await;
        assert!(!admin_exists.expect("the schema is there"));
        let url = scratch.url();
        drop(scratch);
        assert!(Db::open_postgres(&url, &DbOptions::default()).await.is_err());
    }

    #[tokio::test]
    async fn two_scratch_databases_do_not_share_rows() {
        let (first, second) = (ScratchDatabase::create().await, ScratchDatabase::create().await);
        assert_ne!(first.url(), second.url());
    }
}
