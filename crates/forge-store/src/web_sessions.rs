//! Browser sessions: only the keyed hash of the cookie is kept.

use forge_types::Timestamp;
use forge_types::account::{AccountKind, AccountRef, AccountStatus};
use forge_types::id::{AccountId, WebSessionId};

use crate::row::{FromRow, Row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

/// A session with its account, as one statement finds it.
#[derive(Clone, Debug)]
pub struct WebSession {
    /// The session.
    pub id: WebSessionId,
    /// Whose it is.
    pub account: AccountRef,
    /// Whether the account may act.
    pub status: AccountStatus,
    /// When the person last proved to be present.
    pub authenticated_at: Timestamp,
    /// When it stops.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

impl FromRow for WebSession {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("session_id")?,
            account: AccountRef {
                id: row.get("id")?,
                kind: row.get::<AccountKind>("kind")?,
                login: row.get("login")?,
                name: row.get("name")?,
                is_site_admin: row.get("is_site_admin")?,
            },
            status: row.get("status")?,
            authenticated_at: row.get("authenticated_at")?,
            expires_at: row.get("expires_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}

/// What a new session is made of.
#[derive(Clone, Debug)]
pub struct NewWebSession<'a> {
    /// The keyed hash of the cookie.
    pub hash: [u8; 32],
    /// Whose it is.
    pub account_id: AccountId,
    /// When it stops.
    pub expires_at: Timestamp,
    /// Where the person signed in from.
    pub ip: Option<&'a str>,
    /// With what program.
    pub user_agent: Option<&'a str>,
}

struct Inserted {
    id: WebSessionId,
}
crate::row::from_row!(Inserted { id });

/// Inserts a session that begins now.
///
/// # Errors
/// `Constraint` if the account is not a human.
pub async fn insert(tx: &mut Tx, new: &NewWebSession<'_>, now: Timestamp) -> StoreResult<WebSessionId> {
    let row: Inserted = tx
        .fetch_one(
            sql!(
                "INSERT INTO web_sessions (hash, account_id, authenticated_at, created_at, expires_at, ip, user_agent) \
                 VALUES ($1, $2, $3, $3, $4, $5, $6) RETURNING id"
            ),
            params![new.hash, new.account_id, now, new.expires_at, new.ip, new.user_agent],
        )
        .await?;
    Ok(row.id)
}

/// Returns the session whose cookie has this hash, live or not.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_hash(conn: &mut Conn, hash: &[u8; 32]) -> StoreResult<Option<WebSession>> {
    conn.fetch_optional(
        sql!(
            "SELECT s.id AS session_id, s.authenticated_at, s.expires_at, s.revoked_at, a.id, a.kind, a.login, \
             a.name, a.is_site_admin, a.status FROM web_sessions s JOIN accounts a ON a.id = s.account_id \
             WHERE s.hash = $1"
        ),
        params![hash],
    )
    .await
}

/// Returns whether a session stands, and keeps it so until the transaction ends. Its account is held already.
///
/// # Errors
/// Only faults of the database.
pub async fn hold(tx: &mut Tx, id: WebSessionId, now: Timestamp) -> StoreResult<bool> {
    // SQLite has one writer, which is this transaction.
    let statement = if tx.is_sqlite() {
        sql!("SELECT id FROM web_sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2")
    } else {
        postgres_sql!(
            "SELECT id FROM web_sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2 FOR SHARE"
        )
    };
    let found: Option<Inserted> = tx.fetch_optional(statement, params![id, now]).await?;
    Ok(found.is_some_and(|found| found.id == id))
}

/// Ends a session; returns whether it was live.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke(tx: &mut Tx, id: WebSessionId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("UPDATE web_sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"),
            params![id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Ends every session of an account; returns how many were live.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_all(tx: &mut Tx, account_id: AccountId, now: Timestamp) -> StoreResult<u64> {
    tx.execute(
        sql!("UPDATE web_sessions SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL"),
        params![account_id, now],
    )
    .await
}

/// Forgets sessions that ended before `horizon`; returns how many.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(tx: &mut Tx, horizon: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!("DELETE FROM web_sessions WHERE expires_at < $1 OR revoked_at < $1"), params![horizon])
        .await
}
