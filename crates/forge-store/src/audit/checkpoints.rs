//! Signed ends of the chain, and how far each place outside has them.

use forge_types::Timestamp;

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A checkpoint as it is written.
#[derive(Clone, Debug)]
pub struct NewCheckpoint<'a> {
    /// Which chain it is of.
    pub chain_id: &'a str,
    /// How many links the chain had.
    pub position: i64,
    /// The hash of the last one.
    pub hash: &'a [u8],
    /// When.
    pub created_at: Timestamp,
    /// The key it is signed with.
    pub key_id: &'a str,
    /// The signature.
    pub signature: &'a [u8],
}

/// A checkpoint as it is read.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `NewCheckpoint`")]
pub struct Checkpoint {
    pub id: i64,
    pub chain_id: String,
    pub position: i64,
    pub hash: Vec<u8>,
    pub created_at: Timestamp,
    pub key_id: String,
    pub signature: Vec<u8>,
}

from_row!(Checkpoint { id, chain_id, position, hash, created_at, key_id, signature });

/// The columns of a [`Checkpoint`].
macro_rules! checkpoint_columns {
    () => {
        "id, chain_id, position, hash, created_at, key_id, signature"
    };
}

/// Appends a checkpoint.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_checkpoint(tx: &mut Tx, new: &NewCheckpoint<'_>) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO audit_checkpoints (chain_id, position, hash, created_at, key_id, signature) \
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![new.chain_id, new.position, new.hash, new.created_at, new.key_id, new.signature],
    )
    .await?;
    Ok(())
}

/// Returns the checkpoint that was made last.
///
/// # Errors
/// Only faults of the database.
pub async fn find_last_checkpoint(conn: &mut Conn) -> StoreResult<Option<Checkpoint>> {
    conn.fetch_optional(
        sql!("SELECT ", checkpoint_columns!(), " FROM audit_checkpoints ORDER BY id DESC LIMIT 1"),
        params![],
    )
    .await
}

/// Returns the first `limit` checkpoints made after the one with the id `after`.
///
/// # Errors
/// Only faults of the database.
pub async fn list_checkpoints(conn: &mut Conn, after: i64, limit: i64) -> StoreResult<Vec<Checkpoint>> {
    conn.fetch_all(
        sql!("SELECT ", checkpoint_columns!(), " FROM audit_checkpoints WHERE id > $1 ORDER BY id LIMIT $2"),
        params![after, limit],
    )
    .await
}

/// Returns the first `limit` checkpoints that a place outside lacks.
///
/// # Errors
/// Only faults of the database.
pub async fn list_unpublished_checkpoints(
    conn: &mut Conn,
    sink: &str,
    limit: i64,
) -> StoreResult<Vec<Checkpoint>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            checkpoint_columns!(),
            " FROM audit_checkpoints WHERE id > \
             COALESCE((SELECT checkpoint_id FROM audit_sinks WHERE name = $1), 0) ORDER BY id LIMIT $2"
        ),
        params![sink, limit],
    )
    .await
}

/// Notes that a place outside has all checkpoints through the one with the id `through`.
///
/// # Errors
/// Only faults of the database.
pub async fn publish_checkpoints(tx: &mut Tx, sink: &str, through: i64) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO audit_sinks (name, checkpoint_id) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET checkpoint_id = excluded.checkpoint_id \
             WHERE audit_sinks.checkpoint_id < excluded.checkpoint_id"
        ),
        params![sink, through],
    )
    .await?;
    Ok(())
}
