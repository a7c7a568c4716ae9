//! The chain: which events are linked, in which order, and who may link the next.
//!
//! INVARIANT: a link is inserted in the transaction that moves the end of the chain from where the link begins, so no two
//! sealers can both lengthen it, whoever believes to hold it.

use forge_types::Timestamp;
use forge_types::id::AuditEventId;

use super::batch::{self, seal_rows};
use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Which chain it is.
    pub chain_id: String,
    /// How many links it has.
    pub position: i64,
    /// The hash of the last one.
    pub hash: Vec<u8>,
    /// Who may lengthen it.
    pub holder: Option<String>,
    /// Until when.
    pub held_until: Option<Timestamp>,
}

from_row!(ChainHead { chain_id, position, hash, holder, held_until });

/// An event that waits to be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsealed {
    /// The event.
    pub event_id: AuditEventId,
    /// Its content hash.
    pub content_hash: Vec<u8>,
}

from_row!(Unsealed { event_id, content_hash });

/// Begins the chain unless there is one.
///
/// # Errors
/// Only faults of the database.
pub async fn begin_chain(tx: &mut Tx, chain_id: &str, hash: &[u8; 32]) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO audit_chain (id, chain_id, position, hash) VALUES (1, $1, 0, $2) ON CONFLICT (id) DO NOTHING"
        ),
        params![chain_id, hash],
    )
    .await?;
    Ok(())
}

/// Returns the end of the chain; none before its beginning.
///
/// # Errors
/// Only faults of the database.
pub async fn find_head(conn: &mut Conn) -> StoreResult<Option<ChainHead>> {
    conn.fetch_optional(
        sql!("SELECT chain_id, position, hash, holder, held_until FROM audit_chain WHERE id = 1"),
        params![],
    )
    .await
}

/// Who wants to hold the chain, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hold<'a> {
    /// Who.
    pub holder: &'a str,
    /// The time.
    pub now: Timestamp,
    /// Until when it is to be held.
    pub until: Timestamp,
    /// A hold of somebody else's that ends later than this was taken by a clock that is wrong, and does not count.
    pub farthest: Timestamp,
}

/// Moves the end of the chain from one position to another (or leaves it where it is) and holds it, if it is still there and
/// nobody else holds it. Returns whether that was so.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_chain(tx: &mut Tx, from: i64, to: (i64, &[u8]), hold: &Hold<'_>) -> StoreResult<bool> {
    let changed = tx
        .execute(
            sql!(
                "UPDATE audit_chain SET position = $2, hash = $3, holder = $4, held_until = $6 \
                 WHERE id = 1 AND position = $1 \
                 AND (holder IS NULL OR holder = $4 OR held_until <= $5 OR held_until > $7)"
            ),
            params![from, to.0, to.1, hold.holder, hold.now, hold.until, hold.farthest],
        )
        .await?;
    Ok(changed == 1)
}

/// Lets go of the chain.
///
/// # Errors
/// Only faults of the database.
pub async fn release_chain(tx: &mut Tx, holder: &str) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE audit_chain SET holder = NULL, held_until = NULL WHERE id = 1 AND holder = $1"),
        params![holder],
    )
    .await?;
    Ok(())
}

/// Returns whether an event waits to be linked.
///
/// # Errors
/// Only faults of the database.
pub async fn is_unsealed(conn: &mut Conn) -> StoreResult<bool> {
    struct Waiting {
        is_waiting: bool,
    }
    from_row!(Waiting { is_waiting });
    let row: Waiting =
        conn.fetch_one(sql!("SELECT EXISTS (SELECT 1 FROM audit_unsealed) AS is_waiting"), params![]).await?;
    Ok(row.is_waiting)
}

/// Returns the first `limit` events that wait to be linked.
///
/// # Errors
/// Only faults of the database.
pub async fn list_to_seal(conn: &mut Conn, limit: i64) -> StoreResult<Vec<Unsealed>> {
    conn.fetch_all(
        sql!(
            "SELECT q.event_id, e.content_hash FROM audit_unsealed q JOIN audit_events e ON e.id = q.event_id \
             ORDER BY q.event_id LIMIT $1"
        ),
        params![limit],
    )
    .await
}

/// Links events that waited: the first at the position after `from`, with the hashes of the chain there.
///
/// # Errors
/// `Duplicate` if one of them is linked already; faults of the database.
pub async fn insert_seals(tx: &mut Tx, from: i64, links: &[(AuditEventId, [u8; 32])]) -> StoreResult<()> {
    let rows: Vec<(i64, AuditEventId, [u8; 32])> =
        links.iter().zip(from + 1..).map(|((event, hash), position)| (position, *event, *hash)).collect();
    for piece in batch::pieces(&rows) {
        let statement = if piece.len() == batch::ROWS {
            sql!("INSERT INTO audit_seals (position, event_id, hash) VALUES ", seal_rows!())
        } else {
            sql!("INSERT INTO audit_seals (position, event_id, hash) VALUES ($1, $2, $3)")
        };
        let values =
            piece.iter().flat_map(|(position, event, hash)| params![*position, *event, hash]).collect();
        tx.execute(statement, values).await?;
    }
    let to = from + i64::try_from(links.len()).unwrap_or(i64::MAX);
    tx.execute(
        sql!(
            "DELETE FROM audit_unsealed WHERE event_id IN \
             (SELECT event_id FROM audit_seals WHERE position > $1 AND position <= $2)"
        ),
        params![from, to],
    )
    .await?;
    Ok(())
}
