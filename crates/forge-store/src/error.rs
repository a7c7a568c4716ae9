//! What can go wrong below the use cases, and what each fault means above them.

use std::time::Duration;

use forge_types::{Error, ErrorKind};

/// The result of a store function.
pub type StoreResult<T> = Result<T, StoreError>;

/// A fault of the database.
#[derive(Debug)]
pub enum StoreError {
    /// A unique constraint refused the row: something with this name or key exists.
    Duplicate(sqlx::Error),
    /// Another constraint refused the row: a foreign key or a check.
    Constraint(sqlx::Error),
    /// The database cannot be reached, is full, or did not answer in time.
    Unavailable(sqlx::Error),
    /// Two transactions could not both succeed; the same request may be tried again.
    Contention(sqlx::Error),
    /// A guard refuses commits.
    Shut,
    /// A stored value is not what the program wrote.
    Corrupt(String),
    /// Anything else: a fault of ours.
    Other(sqlx::Error),
}

impl StoreError {
    /// Returns whether a unique constraint refused the row.
    #[must_use]
    pub const fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate(_))
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Corrupt(what) => write!(f, "stored value is corrupt: {what}"),
            Self::Shut => f.write_str("nothing may be committed now"),
            Self::Duplicate(error)
            | Self::Constraint(error)
            | Self::Unavailable(error)
            | Self::Contention(error)
            | Self::Other(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind as Sql;
        match &error {
            sqlx::Error::Database(database) => match database.kind() {
                Sql::UniqueViolation => Self::Duplicate(error),
                Sql::ForeignKeyViolation | Sql::NotNullViolation | Sql::CheckViolation => {
                    Self::Constraint(error)
                }
                _ => match database.code().as_deref() {
                    Some(code) if is_contention(code) => Self::Contention(error),
                    Some(code) if is_unavailable(code) => Self::Unavailable(error),
                    _ => Self::Other(error),
                },
            },
            // What a server says that ends in the middle of a statement is no protocol either.
            sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            _ => Self::Other(error),
        }
    }
}

/// SQLite: busy, locked. PostgreSQL: serialization failure, deadlock, lock time-out.
fn is_contention(code: &str) -> bool {
    matches!(code, "5" | "6" | "261" | "517" | "40001" | "40P01" | "55P03")
}

/// SQLite: read-only, I/O error, corrupt, full, cannot open. PostgreSQL: connection, resources, operator, system; also a
/// database that takes no connections, is not there, or does not let us in.
fn is_unavailable(code: &str) -> bool {
    let sqlite =
        code.parse::<u32>().is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 8 | 10 | 11 | 13 | 14));
    let postgres = code.len() == 5
        && ["08", "28", "3D", "53", "55000", "57", "58"].iter().any(|class| code.starts_with(class));
    sqlite || postgres
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate(_) => Self::conflict("already exists").with_source(error),
            StoreError::Unavailable(_) => Self::unavailable(Duration::from_secs(5)).with_source(error),
            StoreError::Contention(_) => Self::new(
                ErrorKind::Unavailable(Duration::from_secs(1)),
                "another change is in the way, try again shortly",
            )
            .with_source(error),
            StoreError::Shut => Self::forbidden("this waits for a decision from outside"),
            StoreError::Constraint(_) | StoreError::Corrupt(_) | StoreError::Other(_) => {
                Self::internal(error)
            }
        }
    }
}
