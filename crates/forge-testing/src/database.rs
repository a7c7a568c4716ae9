//! The databases a test runs on: each test has one of its own.

use forge_store::scratch::ScratchDatabase;
use forge_store::{Db, DbOptions};
use tempfile::TempDir;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file in a temporary folder.
    Sqlite,
    /// A database in the cluster that `FORGE_TEST_POSTGRES` names.
    Postgres,
}

/// An open database that ends with the test.
pub struct TestDatabase {
    /// The database.
    pub db: Db,
    kept: Kept,
}

enum Kept {
    Folder(#[expect(dead_code, reason = "held for what dropping it does")] TempDir),
    Scratch(Box<ScratchDatabase>),
}

impl TestDatabase {
    /// Returns the PostgreSQL database that it is, to be taken away and brought back.
    ///
    /// # Panics
    /// When it is a SQLite file, which cannot go away.
    pub fn scratch(&self) -> &ScratchDatabase {
        match &self.kept {
            Kept::Scratch(scratch) => scratch,
            Kept::Folder(_) => panic!("a file does not go away"),
        }
    }
}

impl Database {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// Opens a new one with the present schema.
    ///
    /// # Panics
    /// When that is impossible, with words about what to do.
    pub async fn open(self) -> TestDatabase {
        match self {
            Self::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let options = DbOptions { max_connections: 4, ..DbOptions::default() };
                let file = folder.path().join("forge.db");
                let db = Db::open_sqlite(&file, &options).await.expect("a SQLite database opens");
                TestDatabase { db, kept: Kept::Folder(folder) }
            }
            Self::Postgres => {
                let scratch = ScratchDatabase::create().await;
                TestDatabase { db: scratch.open().await, kept: Kept::Scratch(Box::new(scratch)) }
            }
        }
    }
}

/// What a test of [`for_each_database!`](crate::for_each_database) can ask for.
pub trait OnDatabase {
    /// Makes it on a new database of this kind.
    fn on(database: Database) -> impl Future<Output = Self>;
}

impl OnDatabase for Database {
    async fn on(database: Database) -> Self {
        database
    }
}

impl OnDatabase for TestDatabase {
    async fn on(database: Database) -> Self {
        database.open().await
    }
}

/// Runs a test on a new database of this kind.
pub async fn run<T: OnDatabase, F: Future<Output = ()>>(database: Database, test: impl FnOnce(T) -> F) {
    test(T::on(database).await).await;
}

/// Makes two tests of each function, one on SQLite and one on PostgreSQL.
///
/// The function takes one argument: a `TestForge`, a `TestDatabase`, or the `Database` itself.
///
/// ```ignore
/// for_each_database! {
///     async fn a_renamed_repository_redirects(forge: TestForge) { … }
/// }
/// ```
#[macro_export]
macro_rules! for_each_database {
    ($($(#[$attribute:meta])* async fn $name:ident($argument:ident : $kind:ty) $body:block)+) => {$(
        $(#[$attribute])*
        async fn $name($argument: $kind) $body

        mod $name {
            #[tokio::test]
            async fn on_sqlite() {
                $crate::database::run($crate::database::Database::Sqlite, super::$name).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                $crate::database::run($crate::database::Database::Postgres, super::$name).await;
            }
        }
    )+};
}

/// An empty PostgreSQL database for another program, made and ended without a runtime of the caller's.
pub struct ScratchPostgres(ScratchDatabase);

impl ScratchPostgres {
    /// Creates one.
    ///
    /// # Panics
    /// When the cluster that `FORGE_TEST_POSTGRES` names cannot be used.
    pub fn empty() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self(runtime.block_on(ScratchDatabase::create_empty()))
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        self.0.url()
    }
}

/// Makes two tests of each function that takes the [`Database`] and drives other programs.
#[macro_export]
macro_rules! for_each_database_sync {
    ($($(#[$attribute:meta])* fn $name:ident($argument:ident) $body:block)+) => {$(
        $(#[$attribute])*
        fn $name($argument: $crate::Database) $body

        mod $name {
            #[test]
            fn on_sqlite() {
                super::$name($crate::Database::Sqlite);
            }

            #[test]
            fn on_postgres() {
                super::$name($crate::Database::Postgres);
            }
        }
    )+};
}
