//! Proofs and assertions that may come once only, remembered by all nodes for as long as they would be accepted.

use forge_types::Timestamp;

use crate::statement::{ephemeral_sql, params};
use crate::{Db, StoreResult};

/// Remembers something until a time; returns whether it had not come before. At most one of any number of calls, on
/// whatever nodes, is told so.
///
/// # Errors
/// `Unavailable` if it cannot be remembered; then it must not be accepted either.
pub async fn remember(db: &Db, key: &[u8; 32], until: Timestamp) -> StoreResult<bool> {
    let sql =
        ephemeral_sql!("INSERT INTO proofs_seen (key, until) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING");
    Ok(db.execute_ephemeral(sql, params![key, until]).await? == 1)
}

/// Forgets what would not be accepted any more; returns how much.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(db: &Db, now: Timestamp) -> StoreResult<u64> {
    db.execute_ephemeral(ephemeral_sql!("DELETE FROM proofs_seen WHERE until < $1"), params![now]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DbOptions;
    use crate::scratch::ScratchDatabase;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// Two nodes ask at once, in whatever order the database takes them.
    async fn one_of_two_is_first(one: &Db, other: &Db) {
        for round in 0..20 {
            let key = [round; 32];
            let (first, second) = tokio::join!(remember(one, &key, at(120)), remember(other, &key, at(120)));
            let (first, second) = (first.expect("an answer"), second.expect("an answer"));
            assert!(first ^ second, "round {round}: {first} {second}");
            assert!(!remember(one, &key, at(120)).await.expect("an answer"));
        }
        assert_eq!(delete_before(one, at(120)).await.expect("an answer"), 0);
        assert_eq!(delete_before(one, at(121)).await.expect("an answer"), 20);
        assert!(remember(other, &[0; 32], at(200)).await.expect("an answer"));
    }

    #[tokio::test]
    async fn a51_of_two_nodes_at_once_one_is_told_that_a_proof_is_new_on_postgres() {
        let scratch = ScratchDatabase::create().await;
        let (one, other) = (scratch.open().await, scratch.open().await);
        one_of_two_is_first(&one, &other).await;
    }

    #[tokio::test]
    async fn a51_of_two_requests_at_once_one_is_told_that_a_proof_is_new_on_sqlite() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("forge.db");
        let db = Db::open_sqlite(&file, &DbOptions::default()).await.expect("a database");
        one_of_two_is_first(&db, &db.clone()).await;
        // It is not in the database that everything waits for, and survives a restart.
        assert!(folder.path().join("ephemeral.db").is_file());
        db.close().await;
        let again = Db::open_sqlite(&file, &DbOptions::default()).await.expect("a database");
        assert!(!remember(&again, &[0; 32], at(200)).await.expect("an answer"));
    }

    #[tokio::test]
    async fn remembering_waits_for_no_writer_on_sqlite() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open_sqlite(&folder.path().join("forge.db"), &DbOptions::default())
            .await
            .expect("a database");
        let writer = db.begin().await.expect("a transaction");
        assert!(remember(&db, &[1; 32], at(1)).await.expect("an answer"));
        drop(writer);
    }
}
