//! Credentials: looked up by keyed hash on every request, never by value.
//!
//! `bearer` finds one with all that a decision about whoever presents it needs, `revoke` ends them.

use forge_types::credential::{Audience, Credential, CredentialKind};
use forge_types::id::{AccountId, CredentialId, GrantId};
use forge_types::page::{Page, PageRequest};
use forge_types::{Scopes, Timestamp};

use crate::grants;
use crate::row::{Column, Row, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// The columns of a [`Credential`].
macro_rules! credential_columns {
    () => {
        "id, account_id, kind, tail, name, scopes, acting_id, client_id, family, parent_id, grant_id, audience, \
         cnf_jkt, cnf_x5t, runtime, created_at, expires_at, renewable_until, last_used_at, consumed_at, revoked_at"
    };
}

mod bearer;
mod revoke;

pub use bearer::{Authentication, authenticate, find_with_bearer, hold, hold_unrevoked, list_live_among};
pub use revoke::{
    revoke, revoke_all, revoke_bound, revoke_client, revoke_derived, revoke_family, revoke_family_of_kind,
    revoke_switch_sessions, revoke_switch_sessions_of_human, revoke_switch_sessions_opened_with,
};

impl Column for CredentialKind {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        text.chars().next().and_then(Self::from_letter).ok_or_else(|| corrupt(name, &text))
    }
}

impl Column for Option<Scopes> {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: Option<String> = row.get(name)?;
        text.map(|text| Scopes::parse(&text).map_err(|_| corrupt(name, &text))).transpose()
    }
}

from_row!(Credential {
    id,
    account_id,
    kind,
    tail,
    name,
    scopes,
    acting_id,
    client_id,
    family,
    parent_id,
    grant_id,
    audience,
    cnf_jkt,
    cnf_x5t,
    runtime,
    created_at,
    expires_at,
    renewable_until,
    last_used_at,
    consumed_at,
    revoked_at,
});

/// What a new credential is made of; the value itself is with whoever asked for it.
#[derive(Clone, Debug)]
pub struct NewCredential<'a> {
    /// Whose it is.
    pub account_id: AccountId,
    /// What it is for.
    pub kind: CredentialKind,
    /// The keyed hash of the value.
    pub hash: [u8; 32],
    /// Which key hashed it.
    pub key_id: &'a str,
    /// The last four characters of the value.
    pub tail: &'a str,
    /// The short public fingerprint of the value.
    pub fingerprint: &'a str,
    /// The name its maker gave it.
    pub name: &'a str,
    /// What it is limited to; `None` means everything its account may do.
    pub scopes: Option<&'a Scopes>,
    /// The human who acts through it.
    pub acting_id: Option<AccountId>,
    /// The OAuth client it is issued to.
    pub client_id: Option<&'a str>,
    /// All credentials that descend from one authorization.
    pub family: &'a str,
    /// The credential it was derived from.
    pub parent_id: Option<CredentialId>,
    /// The grant it is a token for.
    pub grant_id: Option<&'a GrantId>,
    /// Where it is good for anything; `None` means wherever its kind is.
    pub audience: Option<&'a Audience>,
    /// The thumbprint of the key it is bound to.
    pub cnf_jkt: Option<&'a str>,
    /// The SHA-256 of the client certificate it is bound to, in base64url.
    pub cnf_x5t: Option<&'a str>,
    /// What whoever bears it runs in, where that was proved.
    pub runtime: Option<&'a str>,
    /// When it stops.
    pub expires_at: Option<Timestamp>,
    /// The instant past which renewing cannot reach.
    pub renewable_until: Option<Timestamp>,
}

/// Inserts a credential.
///
/// # Errors
/// `Duplicate` if the hash exists, which no honest run ever sees.
pub async fn insert(tx: &mut Tx, new: &NewCredential<'_>, now: Timestamp) -> StoreResult<Credential> {
    tx.fetch_one(
        sql!(
            "INSERT INTO credentials (account_id, kind, hash, key_id, tail, fingerprint, name, scopes, acting_id, \
             client_id, family, parent_id, cnf_jkt, created_at, expires_at, renewable_until, grant_id, audience, runtime, cnf_x5t) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) RETURNING ",
            credential_columns!()
        ),
        params![
            new.account_id,
            new.kind.letter().to_string(),
            new.hash,
            new.key_id,
            new.tail,
            new.fingerprint,
            new.name,
            new.scopes.map(Scopes::to_string),
            new.acting_id,
            new.client_id,
            new.family,
            new.parent_id,
            new.cnf_jkt,
            now,
            new.expires_at,
            new.renewable_until,
            new.grant_id,
            new.audience.map(Audience::to_string),
            new.runtime,
            new.cnf_x5t,
        ],
    )
    .await
}

/// Returns one page of the live credentials of an account, newest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    account_id: AccountId,
    page: PageRequest,
    now: Timestamp,
) -> StoreResult<Page<Credential>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            credential_columns!(),
            ", COUNT(*) OVER () AS total FROM credentials WHERE account_id = $1 AND revoked_at IS NULL \
             AND consumed_at IS NULL AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC LIMIT $3 OFFSET $4"
        ),
        params![account_id, now],
        page,
    )
    .await
}

struct Number {
    number: i64,
}
from_row!(Number { number });

/// Returns how many live credentials of one kind an account has.
///
/// # Errors
/// Only faults of the database.
pub async fn count(
    conn: &mut Conn,
    account_id: AccountId,
    kind: CredentialKind,
    now: Timestamp,
) -> StoreResult<i64> {
    let row: Number = conn
        .fetch_one(
            sql!(
                "SELECT COUNT(*) AS number FROM credentials WHERE account_id = $1 AND kind = $2 \
                 AND revoked_at IS NULL AND consumed_at IS NULL AND (expires_at IS NULL OR expires_at > $3)"
            ),
            params![account_id, kind.letter().to_string(), now],
        )
        .await?;
    Ok(row.number)
}

/// Returns a credential of an account, live or not.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    account_id: AccountId,
    id: CredentialId,
) -> StoreResult<Option<Credential>> {
    conn.fetch_optional(
        sql!("SELECT ", credential_columns!(), " FROM credentials WHERE account_id = $1 AND id = $2"),
        params![account_id, id],
    )
    .await
}

/// Returns the credential whose value has this hash, live or not.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_hash(conn: &mut Conn, hash: &[u8; 32]) -> StoreResult<Option<Credential>> {
    conn.fetch_optional(
        sql!("SELECT ", credential_columns!(), " FROM credentials WHERE hash = $1"),
        params![hash],
    )
    .await
}

/// Uses up a credential that is good once; returns whether this call was the one that used it.
///
/// # Errors
/// Only faults of the database.
pub async fn consume(tx: &mut Tx, id: CredentialId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE credentials SET consumed_at = $2 \
                 WHERE id = $1 AND consumed_at IS NULL AND revoked_at IS NULL"
            ),
            params![id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Returns the live switch sessions through which `acting` acts as `account_id`, newest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list_switch_sessions(
    conn: &mut Conn,
    account_id: AccountId,
    acting: AccountId,
    now: Timestamp,
) -> StoreResult<Vec<Credential>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            credential_columns!(),
            " FROM credentials WHERE account_id = $1 AND kind = 'w' AND acting_id = $2 AND revoked_at IS NULL \
             AND expires_at > $3 ORDER BY id DESC"
        ),
        params![account_id, acting, now],
    )
    .await
}

/// Notes when credentials were last used, in the order given; batched, so that nothing writes on a read.
///
/// # Errors
/// Only faults of the database.
pub async fn touch(tx: &mut Tx, uses: &[(CredentialId, Timestamp)]) -> StoreResult<()> {
    for (id, at) in uses {
        tx.execute(
            sql!(
                "UPDATE credentials SET last_used_at = $2 \
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)"
            ),
            params![*id, *at],
        )
        .await?;
        grants::touch(tx, *id, *at).await?;
    }
    Ok(())
}
