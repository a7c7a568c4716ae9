//! All SQL of the forge: the database, its transactions, and one module per aggregate.
//!
//! Rules of this room: one SQL text runs on SQLite and PostgreSQL; every statement stands in [`sql!`], so that a test
//! can prepare each on both; what really differs is in `dialect`. Functions that only read take a [`Conn`], those
//! that write take a [`Tx`]. Nobody here decides whether something is allowed: that is `forge-service`'s one
//! authorization call. Verbs: `insert`, `find`, `find_by_x`, `list`, `count`, `update`, `delete`.

pub mod access_groups;
pub mod accounts;
pub mod agents;
pub mod approvals;
pub mod audit;
pub mod batch;
pub mod collaborators;
pub mod credentials;
mod db;
pub mod decisions;
pub mod delegation_policies;
mod dialect;
mod ephemeral;
mod error;
pub mod grants;
pub mod identities;
pub mod inventory;
pub mod jobs;
pub mod kill_switches;
pub mod labels;
pub mod made_objects;
pub mod members;
mod migrations;
pub mod oauth;
pub mod organizations;
pub mod passwords;
pub mod policies;
pub mod proofs;
pub mod public_keys;
pub mod push_certificates;
pub mod pushes;
pub mod refs;
pub mod repositories;
mod row;
pub mod scratch;
pub mod second_factors;
pub mod settings;
mod statement;
pub mod team_members;
pub mod team_repositories;
pub mod teams;
pub mod throttles;
pub mod web_sessions;
pub mod workload_bindings;

pub use db::{CommitGuard, Conn, Db, DbOptions, Tx};
pub use error::{StoreError, StoreResult};

#[cfg(test)]
mod tests {
    use super::*;

    async fn complaints(db: &Db) -> Vec<String> {
        let mut found = Vec::new();
        for statement in statement::gather::statements() {
            let is_for_other =
                if db.is_sqlite() { statement.is_for_postgres_alone } else { statement.is_for_sqlite_alone };
            if is_for_other {
                continue;
            }
            if let Err(complaint) = db.prepare(statement.sql, statement.is_ephemeral).await {
                found.push(format!("{}: {complaint}", statement.place));
            }
        }
        found
    }

    #[tokio::test]
    async fn every_statement_prepares_on_sqlite() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open_sqlite(&folder.path().join("forge.db"), &DbOptions::default())
            .await
            .expect("a database");
        assert!(statement::gather::statements().len() > 10, "the statements were not found");
        assert_eq!(complaints(&db).await, Vec::<String>::new());
        let invalid = db.prepare("SELECT nothing FROM nowhere".to_owned(), false).await;
        assert!(invalid.is_err(), "preparing must be able to fail");
    }

    #[tokio::test]
    async fn every_statement_prepares_on_postgres() {
        let scratch = scratch::ScratchDatabase::create().await;
        let db = scratch.open().await;
        assert_eq!(complaints(&db).await, Vec::<String>::new());
        let invalid = db.prepare("SELECT nothing FROM nowhere".to_owned(), false).await;
        assert!(invalid.is_err(), "preparing must be able to fail");
    }
}
