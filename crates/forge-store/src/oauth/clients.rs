//! OAuth clients: the programs that may ask people for access.

use forge_types::Timestamp;
use forge_types::id::{AccountId, ClientId};

use crate::row::{FromRow, Row, corrupt, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

/// A client.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// Its id here.
    pub id: ClientId,
    /// The name it gives itself in requests.
    pub client_id: String,
    /// What people know it as.
    pub name: String,
    /// Where people learn about it.
    pub homepage: Option<String>,
    /// Whether it can keep no secret.
    pub is_public: bool,
    /// Whether it came with the forge.
    pub is_builtin: bool,
    /// The keyed hash of its secret.
    pub secret_hash: Option<Vec<u8>>,
    /// Where it may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Whether it may use the device flow.
    pub allows_device: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl FromRow for OAuthClient {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let uris: String = row.get("redirect_uris")?;
        Ok(Self {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            name: row.get("name")?,
            homepage: row.get("homepage")?,
            is_public: row.get("is_public")?,
            is_builtin: row.get("is_builtin")?,
            secret_hash: row.get("secret_hash")?,
            redirect_uris: serde_json::from_str(&uris).map_err(|_| corrupt("redirect_uris", &uris))?,
            allows_device: row.get("allows_device")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// The columns of an [`OAuthClient`].
macro_rules! client_columns {
    () => {
        "id, client_id, name, homepage, is_public, is_builtin, secret_hash, redirect_uris, allows_device, created_at"
    };
}

/// What a new client is made of.
#[derive(Clone, Debug)]
pub struct NewClient<'a> {
    /// The name it gives itself in requests.
    pub client_id: &'a str,
    /// What people know it as.
    pub name: &'a str,
    /// Where people learn about it.
    pub homepage: Option<&'a str>,
    /// The keyed hash of its secret; none for a public client.
    pub secret_hash: Option<[u8; 32]>,
    /// Where it may be sent back to.
    pub redirect_uris: &'a [String],
    /// Whether it may use the device flow.
    pub allows_device: bool,
    /// Who registers it.
    pub owner_id: Option<AccountId>,
}

/// Inserts a client.
///
/// # Errors
/// `Duplicate` if the client id is taken.
pub async fn insert(tx: &mut Tx, new: &NewClient<'_>, now: Timestamp) -> StoreResult<OAuthClient> {
    let redirect_uris = serde_json::Value::from(new.redirect_uris.to_vec()).to_string();
    tx.fetch_one(
        sql!(
            "INSERT INTO oauth_clients (client_id, name, homepage, is_public, secret_hash, redirect_uris, \
             allows_device, owner_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ",
            client_columns!()
        ),
        params![
            new.client_id,
            new.name,
            new.homepage,
            new.secret_hash.is_none(),
            new.secret_hash,
            redirect_uris,
            new.allows_device,
            new.owner_id,
            now,
        ],
    )
    .await
}

/// Returns the client that calls itself `client_id`.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, client_id: &str) -> StoreResult<Option<OAuthClient>> {
    conn.fetch_optional(
        sql!("SELECT ", client_columns!(), " FROM oauth_clients WHERE client_id = $1"),
        params![client_id],
    )
    .await
}

/// Returns whether a client is there, and keeps it until the transaction ends: whoever removes it waits.
///
/// # Errors
/// Only faults of the database.
pub async fn hold(tx: &mut Tx, id: ClientId) -> StoreResult<bool> {
    // SQLite has one writer, which is this transaction.
    let statement = if tx.is_sqlite() {
        sql!("SELECT id FROM oauth_clients WHERE id = $1")
    } else {
        postgres_sql!("SELECT id FROM oauth_clients WHERE id = $1 FOR SHARE")
    };
    let found: Option<Present> = tx.fetch_optional(statement, params![id]).await?;
    Ok(found.is_some_and(|found| found.id == id))
}

struct Present {
    id: ClientId,
}
from_row!(Present { id });

/// Returns all clients, oldest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn) -> StoreResult<Vec<OAuthClient>> {
    conn.fetch_all(
        sql!("SELECT ", client_columns!(), " FROM oauth_clients ORDER BY id LIMIT 1000"),
        params![],
    )
    .await
}

/// Deletes a client that did not come with the forge; returns whether there was one.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, client_id: &str) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM oauth_clients WHERE client_id = $1 AND is_builtin = FALSE"),
            params![client_id],
        )
        .await?;
    Ok(rows == 1)
}
