//! Keys of agents. Those that are over stay: a key is never another agent's.

use forge_types::Timestamp;
use forge_types::agent_key::{AgentKey, KeyPurpose};
use forge_types::id::{AccountId, AgentKeyId};

use crate::row::{Column, Row, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

impl Column for KeyPurpose {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        Self::parse(&text).ok_or_else(|| corrupt(name, &text))
    }
}

impl Column for AgentKeyId {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        row.get(name).map(Self)
    }
}

from_row!(AgentKey {
    id,
    agent_id,
    purpose,
    algorithm,
    public_key,
    thumbprint,
    created_at,
    retires_at,
    revoked_at,
    last_used_at,
});

/// The columns of an [`AgentKey`].
macro_rules! agent_key_columns {
    () => {
        "id, agent_id, purpose, algorithm, public_key, thumbprint, created_at, retires_at, revoked_at, last_used_at"
    };
}

/// Inserts a key.
///
/// # Errors
/// `Duplicate` if it is known already, or another one of its purpose stands.
pub async fn insert(tx: &mut Tx, key: &AgentKey, created_by: Option<AccountId>) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO agent_keys (id, agent_id, purpose, algorithm, public_key, thumbprint, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        params![
            key.id.0.as_str(),
            key.agent_id,
            key.purpose.as_str(),
            &key.algorithm,
            &key.public_key,
            &key.thumbprint,
            created_by,
            key.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Returns the keys of an agent that are good at `now`, newest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list_live(conn: &mut Conn, agent: AccountId, now: Timestamp) -> StoreResult<Vec<AgentKey>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            agent_key_columns!(),
            " FROM agent_keys WHERE agent_id = $1 AND revoked_at IS NULL AND (retires_at IS NULL OR retires_at > $2) \
             ORDER BY CASE WHEN retires_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id"
        ),
        params![agent, now],
    )
    .await
}

/// Returns a key of an agent, good or not.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, agent: AccountId, id: &AgentKeyId) -> StoreResult<Option<AgentKey>> {
    conn.fetch_optional(
        sql!("SELECT ", agent_key_columns!(), " FROM agent_keys WHERE agent_id = $1 AND id = $2"),
        params![agent, id.0.as_str()],
    )
    .await
}

/// Returns whether a key is known, whoever's it is or was.
///
/// # Errors
/// Only faults of the database.
pub async fn is_known(conn: &mut Conn, thumbprint: &str) -> StoreResult<bool> {
    let found: Option<Known> = conn
        .fetch_optional(sql!("SELECT agent_id FROM agent_keys WHERE thumbprint = $1"), params![thumbprint])
        .await?;
    Ok(found.is_some_and(|known| known.agent_id.0 != 0))
}

struct Known {
    agent_id: AccountId,
}
from_row!(Known { agent_id });

/// Lets the key that stands retire at a time.
///
/// # Errors
/// Only faults of the database.
pub async fn retire(tx: &mut Tx, agent: AccountId, purpose: KeyPurpose, at: Timestamp) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE agent_keys SET retires_at = $3 WHERE agent_id = $1 AND purpose = $2 AND retires_at IS NULL \
             AND revoked_at IS NULL"
        ),
        params![agent, purpose.as_str(), at],
    )
    .await
}

/// Withdraws a key; returns whether it was not withdrawn yet.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke(tx: &mut Tx, agent: AccountId, id: &AgentKeyId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE agent_keys SET revoked_at = $3 WHERE agent_id = $1 AND id = $2 AND revoked_at IS NULL"
            ),
            params![agent, id.0.as_str(), now],
        )
        .await?;
    Ok(rows == 1)
}

/// Withdraws every key of an agent; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_all(tx: &mut Tx, agent: AccountId, now: Timestamp) -> StoreResult<u64> {
    tx.execute(
        sql!("UPDATE agent_keys SET revoked_at = $2 WHERE agent_id = $1 AND revoked_at IS NULL"),
        params![agent, now],
    )
    .await
}

/// Notes that a key has proved its agent.
///
/// # Errors
/// Only faults of the database.
pub async fn touch(tx: &mut Tx, id: &AgentKeyId, now: Timestamp) -> StoreResult<()> {
    tx.execute(sql!("UPDATE agent_keys SET last_used_at = $2 WHERE id = $1"), params![id.0.as_str(), now])
        .await?;
    Ok(())
}
