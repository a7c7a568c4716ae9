//! What was decided lately, with the facts it was decided on. Bounded for each owner.

use forge_types::Timestamp;
use forge_types::id::{AccountId, CredentialId};

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// How many decisions are kept about what belongs to one owner.
pub const KEPT: i64 = 1000;

/// After how many decisions it is looked whether there are too many.
const LOOK: i64 = 32;

/// A decision to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewDecision<'a> {
    /// Whose policies were asked; if nobody's, whoever asked.
    pub owner_id: AccountId,
    /// The credential of whoever asked.
    pub credential_id: Option<CredentialId>,
    /// Whether it was a yes.
    pub is_allowed: bool,
    /// The rule that refused.
    pub rule: Option<&'a str>,
    /// What was told, as JSON.
    pub facts: &'a str,
}

/// A decision that was kept.
#[derive(Clone, Debug)]
pub struct StoredDecision {
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it was a yes.
    pub is_allowed: bool,
    /// The rule that refused.
    pub rule: Option<String>,
    /// What was told, as JSON.
    pub facts: String,
}
from_row!(StoredDecision { created_at, is_allowed, rule, facts });

struct Number {
    number: i64,
}
from_row!(Number { number });

/// Keeps a decision, and forgets the oldest when there are too many.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(tx: &mut Tx, new: &NewDecision<'_>, now: Timestamp) -> StoreResult<()> {
    let made: Number = tx
        .fetch_one(
            sql!(
                "INSERT INTO decision_log (owner_id, created_at, credential_id, is_allowed, rule, facts) \
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING id AS number"
            ),
            params![new.owner_id, now, new.credential_id, new.is_allowed, new.rule, new.facts],
        )
        .await?;
    if made.number % LOOK == 0 {
        forget(tx, new.owner_id).await?;
    }
    Ok(())
}

async fn forget(tx: &mut Tx, owner: AccountId) -> StoreResult<()> {
    tx.execute(
        sql!(
            "DELETE FROM decision_log WHERE owner_id = $1 AND id <= \
             (SELECT id FROM decision_log WHERE owner_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)"
        ),
        params![owner, KEPT],
    )
    .await?;
    Ok(())
}

/// Returns the last decisions about what belongs to `owner`, newest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, owner: AccountId, limit: i64) -> StoreResult<Vec<StoredDecision>> {
    conn.fetch_all(
        sql!(
            "SELECT created_at, is_allowed, rule, facts FROM decision_log WHERE owner_id = $1 \
             ORDER BY id DESC LIMIT $2"
        ),
        params![owner, limit],
    )
    .await
}

/// Returns how many things a credential was refused after `since`.
///
/// # Errors
/// Only faults of the database.
pub async fn count_refused(conn: &mut Conn, credential: CredentialId, since: Timestamp) -> StoreResult<i64> {
    let counted: Number = conn
        .fetch_one(
            sql!(
                "SELECT COUNT(*) AS number FROM decision_log \
                 WHERE credential_id = $1 AND created_at > $2 AND NOT is_allowed"
            ),
            params![credential, since],
        )
        .await?;
    Ok(counted.number)
}
