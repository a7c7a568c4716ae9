//! Passwords of people, and the one-time links with which they are set.

use forge_types::Timestamp;
use forge_types::account::AccountStatus;
use forge_types::id::AccountId;
use forge_types::name;

use crate::row::{FromRow, Row, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// What signing in needs to know of an account.
#[derive(Clone, Debug)]
pub struct SignInAccount {
    /// The account.
    pub id: AccountId,
    /// Its login.
    pub login: String,
    /// Whether it may act.
    pub status: AccountStatus,
    /// The hash of its password, if it has one; only humans do.
    pub hash: Option<String>,
}
from_row!(SignInAccount { id, login, status, hash });

/// Returns what signing in needs of the human with this login.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_login(conn: &mut Conn, login: &str) -> StoreResult<Option<SignInAccount>> {
    conn.fetch_optional(
        sql!(
            "SELECT a.id, a.login, a.status, p.hash FROM accounts a LEFT JOIN passwords p ON p.account_id = a.id \
             WHERE a.login_key = $1 AND a.kind = 'human'"
        ),
        params![name::key(login)],
    )
    .await
}

/// Sets the password of a human, whether or not there was one.
///
/// # Errors
/// `Constraint` if the account is not a human.
pub async fn upsert(tx: &mut Tx, account_id: AccountId, hash: &str, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO passwords (account_id, hash, changed_at) VALUES ($1, $2, $3) \
             ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at"
        ),
        params![account_id, hash, now],
    )
    .await?;
    Ok(())
}

/// What a one-time link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Creating the first administrator.
    Setup,
    /// Setting the password of an account.
    Password,
}

impl LinkPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Password => "password",
        }
    }
}

/// Inserts a one-time link.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_link(
    tx: &mut Tx,
    hash: &[u8; 32],
    purpose: LinkPurpose,
    account_id: Option<AccountId>,
    now: Timestamp,
    expires_at: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO account_links (hash, purpose, account_id, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5)"
        ),
        params![hash, purpose.as_str(), account_id, now, expires_at],
    )
    .await?;
    Ok(())
}

struct LinkAccount(Option<AccountId>);

impl FromRow for LinkAccount {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        row.get("account_id").map(Self)
    }
}

/// Returns the account of a link that can still be used; `Some(None)` for a link without account.
///
/// # Errors
/// Only faults of the database.
pub async fn find_link(
    conn: &mut Conn,
    hash: &[u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> StoreResult<Option<Option<AccountId>>> {
    let row: Option<LinkAccount> = conn
        .fetch_optional(
            sql!(
                "SELECT account_id FROM account_links WHERE hash = $1 AND purpose = $2 \
                 AND consumed_at IS NULL AND expires_at > $3"
            ),
            params![hash, purpose.as_str(), now],
        )
        .await?;
    Ok(row.map(|LinkAccount(id)| id))
}

/// Uses up a link; returns its account, or `None` if it could not be used any more.
///
/// # Errors
/// Only faults of the database.
pub async fn consume_link(
    tx: &mut Tx,
    hash: &[u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> StoreResult<Option<Option<AccountId>>> {
    let row: Option<LinkAccount> = tx
        .fetch_optional(
            sql!(
                "UPDATE account_links SET consumed_at = $3 WHERE hash = $1 AND purpose = $2 \
                 AND consumed_at IS NULL AND expires_at > $3 RETURNING account_id"
            ),
            params![hash, purpose.as_str(), now],
        )
        .await?;
    Ok(row.map(|LinkAccount(id)| id))
}

/// Uses up every link of one purpose, or of one account.
///
/// # Errors
/// Only faults of the database.
pub async fn consume_links(
    tx: &mut Tx,
    purpose: LinkPurpose,
    account_id: Option<AccountId>,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE account_links SET consumed_at = $3 WHERE purpose = $1 AND consumed_at IS NULL \
             AND (CAST($2 AS BIGINT) IS NULL OR account_id = $2)"
        ),
        params![purpose.as_str(), account_id, now],
    )
    .await
}
