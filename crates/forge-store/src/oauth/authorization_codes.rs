//! Authorization codes: a minute to be exchanged, once, by the client they were made for.

use forge_types::id::{AccountId, GrantId};
use forge_types::{Scopes, Timestamp};

use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// An authorization code.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    /// The client it was made for.
    pub client_id: String,
    /// Who consented.
    pub account_id: AccountId,
    /// Where the client was sent back to.
    pub redirect_uri: String,
    /// What was consented to.
    pub scopes: Scopes,
    /// The S256 challenge.
    pub challenge: String,
    /// The thumbprint of the key of which a proof has to come with it.
    pub dpop_jkt: Option<String>,
    /// The task that came of it, and the agent it is for, in place of access to the account.
    pub grant_id: Option<GrantId>,
    /// The agent.
    pub agent_id: Option<AccountId>,
    /// The authorization that credentials made from it belong to.
    pub family: String,
    /// When it stops.
    pub expires_at: Timestamp,
    /// When it was exchanged.
    pub consumed_at: Option<Timestamp>,
}

impl FromRow for AuthorizationCode {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let scopes: String = row.get("scopes")?;
        Ok(Self {
            client_id: row.get("client_id")?,
            account_id: row.get("account_id")?,
            redirect_uri: row.get("redirect_uri")?,
            scopes: Scopes::parse(&scopes).map_err(|_| corrupt("scopes", &scopes))?,
            challenge: row.get("challenge")?,
            dpop_jkt: row.get("dpop_jkt")?,
            grant_id: row.get("grant_id")?,
            agent_id: row.get("agent_id")?,
            family: row.get("family")?,
            expires_at: row.get("expires_at")?,
            consumed_at: row.get("consumed_at")?,
        })
    }
}

/// What a new code is made of.
#[derive(Clone, Debug)]
pub struct NewAuthorizationCode<'a> {
    /// The keyed hash of the code.
    pub hash: [u8; 32],
    /// The client it is made for.
    pub client_id: &'a str,
    /// Who consents.
    pub account_id: AccountId,
    /// Where the client is sent back to.
    pub redirect_uri: &'a str,
    /// What is consented to.
    pub scopes: &'a Scopes,
    /// The S256 challenge.
    pub challenge: &'a str,
    /// The thumbprint of the key of which a proof has to come with it.
    pub dpop_jkt: Option<&'a str>,
    /// The task that comes of it, and the agent it is for.
    pub task: Option<(AccountId, &'a GrantId)>,
    /// The authorization that credentials made from it belong to.
    pub family: &'a str,
    /// When it stops.
    pub expires_at: Timestamp,
}

/// Inserts a code.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(tx: &mut Tx, new: &NewAuthorizationCode<'_>, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO authorization_codes (hash, client_id, account_id, redirect_uri, scopes, challenge, dpop_jkt, \
             family, created_at, expires_at, agent_id, grant_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        params![
            new.hash,
            new.client_id,
            new.account_id,
            new.redirect_uri,
            new.scopes.to_string(),
            new.challenge,
            new.dpop_jkt,
            new.family,
            now,
            new.expires_at,
            new.task.map(|(agent, _)| agent),
            new.task.map(|(_, grant)| grant.0.as_str()),
        ],
    )
    .await?;
    Ok(())
}

/// Returns the code with this hash, used or not.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, hash: &[u8; 32]) -> StoreResult<Option<AuthorizationCode>> {
    conn.fetch_optional(
        sql!(
            "SELECT client_id, account_id, redirect_uri, scopes, challenge, dpop_jkt, agent_id, grant_id, family, expires_at, \
             consumed_at \
             FROM authorization_codes WHERE hash = $1"
        ),
        params![hash],
    )
    .await
}

/// Uses up a code; returns whether this call was the one that used it.
///
/// # Errors
/// Only faults of the database.
pub async fn consume(tx: &mut Tx, hash: &[u8; 32], now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("UPDATE authorization_codes SET consumed_at = $2 WHERE hash = $1 AND consumed_at IS NULL"),
            params![hash, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Uses up every code of an account that was not exchanged yet; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn consume_all(tx: &mut Tx, account_id: AccountId, now: Timestamp) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE authorization_codes SET consumed_at = $2 \
             WHERE account_id = $1 AND consumed_at IS NULL AND expires_at > $2"
        ),
        params![account_id, now],
    )
    .await
}

/// Forgets codes that ended before `horizon`; returns how many.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(tx: &mut Tx, horizon: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!("DELETE FROM authorization_codes WHERE expires_at < $1"), params![horizon]).await
}
