//! Push certificates: what clients signed of their pushes. Only what was found good comes here, with the push it belongs to.

use forge_types::account::AccountRef;
use forge_types::id::{PushId, RepositoryId};
use forge_types::{Timestamp, page::PageRequest};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A certificate that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushCertificate {
    /// The whole text with its signature, to the byte.
    pub certificate: String,
    /// `SHA256:` and the unpadded base64 of the hash of the key that signed it.
    pub key_fingerprint: String,
    /// The nonce in it.
    pub nonce: String,
    /// When that nonce was given out.
    pub nonce_issued_at: Timestamp,
}

from_row!(PushCertificate { certificate, key_fingerprint, nonce, nonce_issued_at });

/// Keeps the certificate of a push.
///
/// # Errors
/// `Duplicate` if a push to this repository had the same nonce.
pub async fn insert(
    tx: &mut Tx,
    (repository, push): (RepositoryId, PushId),
    new: &PushCertificate,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO push_certificates (push_id, repository_id, certificate, key_fingerprint, nonce, nonce_issued_at) \
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            push,
            repository,
            &new.certificate,
            &new.key_fingerprint,
            &new.nonce,
            new.nonce_issued_at
        ],
    )
    .await?;
    Ok(())
}

/// Returns whether a push to this repository had this nonce.
///
/// # Errors
/// Only faults of the database.
pub async fn is_used(conn: &mut Conn, repository: RepositoryId, nonce: &str) -> StoreResult<bool> {
    struct Used {
        push_id: PushId,
    }
    from_row!(Used { push_id });
    let found: Option<Used> = conn
        .fetch_optional(
            sql!("SELECT push_id FROM push_certificates WHERE repository_id = $1 AND nonce = $2"),
            params![repository, nonce],
        )
        .await?;
    Ok(found.is_some_and(|used| used.push_id.0 != 0))
}

/// Returns the certificate of a push to this repository.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    repository: RepositoryId,
    push: PushId,
) -> StoreResult<Option<PushCertificate>> {
    conn.fetch_optional(
        sql!(
            "SELECT certificate, key_fingerprint, nonce, nonce_issued_at FROM push_certificates \
             WHERE repository_id = $1 AND push_id = $2"
        ),
        params![repository, push],
    )
    .await
}

/// A push as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPush {
    /// The push.
    pub id: PushId,
    /// Who pushed.
    pub actor: AccountRef,
    /// By which door.
    pub door: String,
    /// When.
    pub created_at: Timestamp,
    /// The key that signed it, if it was signed.
    pub signed_by: Option<String>,
}

impl FromRow for ListedPush {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            actor: account_ref(row, "actor")?.ok_or_else(|| corrupt("actor_id", "none"))?,
            door: row.get("door")?,
            created_at: row.get("created_at")?,
            signed_by: row.get("key_fingerprint")?,
        })
    }
}

/// Returns up to `size` pushes to a repository, newest first, those before `before` if it says one, and whether there are more.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    repository: RepositoryId,
    before: Option<PushId>,
    size: PageRequest,
) -> StoreResult<(Vec<ListedPush>, bool)> {
    let wanted = i64::from(size.size());
    let mut found: Vec<ListedPush> = conn
        .fetch_all(
            sql!(
                "SELECT p.id, p.door, p.created_at, c.key_fingerprint, a.id AS actor_id, a.kind AS actor_kind, \
                 a.login AS actor_login, a.name AS actor_name, a.is_site_admin AS actor_is_site_admin \
                 FROM pushes p JOIN accounts a ON a.id = p.actor_id \
                 LEFT JOIN push_certificates c ON c.push_id = p.id \
                 WHERE p.repository_id = $1 AND p.id < $2 ORDER BY p.id DESC LIMIT $3"
            ),
            params![repository, before.unwrap_or(PushId(i64::MAX)), wanted + 1],
        )
        .await?;
    let has_more = found.len() > size.size() as usize;
    found.truncate(size.size() as usize);
    Ok((found, has_more))
}
