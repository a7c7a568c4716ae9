//! Authorization requests that clients pushed (RFC 9126), until a person has decided.

use forge_types::Timestamp;
use forge_types::id::AccountId;

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A request that waits for the browser.
#[derive(Clone, Debug)]
pub struct PushedRequest {
    /// The client that pushed it.
    pub client_id: String,
    /// Its parameters as a form.
    pub parameters: String,
    /// The task that is asked for, as RFC 9396 has it.
    pub authorization_details: Option<String>,
    /// The agent that asks for it.
    pub agent_id: Option<AccountId>,
    /// Whether the agent consents by asking.
    pub is_consent: Option<bool>,
}
from_row!(PushedRequest { client_id, parameters, authorization_details, agent_id, is_consent });

/// Inserts a request under the keyed hash of its address.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(
    tx: &mut Tx,
    hash: &[u8; 32],
    new: &PushedRequest,
    now: Timestamp,
    expires_at: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO pushed_requests \
             (hash, client_id, parameters, authorization_details, agent_id, is_consent, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        params![
            hash,
            new.client_id.as_str(),
            new.parameters.as_str(),
            new.authorization_details.as_deref(),
            new.agent_id,
            new.is_consent,
            now,
            expires_at
        ],
    )
    .await?;
    Ok(())
}

/// Returns the request under this hash that is not over.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, hash: &[u8; 32], now: Timestamp) -> StoreResult<Option<PushedRequest>> {
    conn.fetch_optional(
        sql!(
            "SELECT client_id, parameters, authorization_details, agent_id, is_consent FROM pushed_requests \
             WHERE hash = $1 AND expires_at > $2"
        ),
        params![hash, now],
    )
    .await
}

/// Uses a request up; false if somebody did before.
///
/// # Errors
/// Only faults of the database.
pub async fn consume(tx: &mut Tx, hash: &[u8; 32]) -> StoreResult<bool> {
    Ok(tx.execute(sql!("DELETE FROM pushed_requests WHERE hash = $1"), params![hash]).await? == 1)
}

/// Forgets requests that ended before `horizon`; returns how many.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(tx: &mut Tx, horizon: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!("DELETE FROM pushed_requests WHERE expires_at < $1"), params![horizon]).await
}
