//! Credentials: looked up by keyed hash on every request, never by value.

use forge_types::account::{AccountKind, AccountRef, AccountStatus};
use forge_types::agent::StandingAccess;
use forge_types::credential::{Audience, Credential, CredentialKind};
use forge_types::id::{AccountId, CredentialId, GrantId};
use forge_types::kill_switch::Stop;
use forge_types::page::{Page, PageRequest};
use forge_types::{Scopes, Timestamp};

use crate::accounts::account_ref;
use crate::grants::{self, GrantLink, chain_columns, chain_tables};
use crate::kill_switches::{self, live_stops};
use crate::refs::batch::{name_list, pieces};
use crate::row::{Column, FromRow, Row, Value, corrupt, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

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
    created_at,
    expires_at,
    renewable_until,
    last_used_at,
    consumed_at,
    revoked_at,
});

/// The columns of a [`Credential`].
macro_rules! credential_columns {
    () => {
        "id, account_id, kind, tail, name, scopes, acting_id, client_id, family, parent_id, grant_id, audience, \
         cnf_jkt, created_at, expires_at, renewable_until, last_used_at, consumed_at, revoked_at"
    };
}

/// Revokes the live ones among the credentials `c` that fulfil what stands between this and [`with_derived`].
macro_rules! revoke_those_where {
    () => {
        "UPDATE credentials SET revoked_at = $2, revoke_reason = $3 WHERE revoked_at IS NULL AND id IN ( \
         WITH RECURSIVE derived (id) AS (SELECT c.id FROM credentials c WHERE "
    };
}

/// Adds all that was derived from them, directly or not.
macro_rules! with_derived {
    () => {
        " UNION SELECT c.id FROM credentials c JOIN derived d ON c.parent_id = d.id) SELECT id FROM derived)"
    };
}

/// The credential `$1`, if it stands at `$2`.
macro_rules! standing {
    () => {
        "SELECT c.id FROM credentials c WHERE c.id = $1 AND c.revoked_at IS NULL AND c.consumed_at IS NULL \
         AND (c.expires_at IS NULL OR c.expires_at > $2) AND (c.acting_id IS NULL OR EXISTS (SELECT 1 \
         FROM agent_bindings b WHERE b.agent_id = c.account_id AND b.human_id = c.acting_id))"
    };
}

/// The columns of whoever bears the credential `c`, beside its own and those of its grants.
macro_rules! bearer_columns {
    () => {
        concat!(
            "a.kind AS account_kind, a.login AS account_login, a.name AS account_name, \
             a.is_site_admin AS account_is_site_admin, a.status AS account_status, \
             h.kind AS acting_kind, h.login AS acting_login, h.name AS acting_name, \
             h.is_site_admin AS acting_is_site_admin, h.status AS acting_status, \
             b.human_id AS owner_id, g.standing_access, g.bound_only, g.signed_only, CASE WHEN a.kind = 'agent' THEN ",
            live_stops!(),
            " END AS stops, "
        )
    };
}

/// Where they come from.
macro_rules! bearer_tables {
    () => {
        " JOIN accounts a ON a.id = c.account_id \
         LEFT JOIN accounts h ON h.id = c.acting_id \
         LEFT JOIN agents g ON g.account_id = c.account_id \
         LEFT JOIN agent_bindings b ON b.agent_id = c.account_id "
    };
}

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
    /// When it stops.
    pub expires_at: Option<Timestamp>,
    /// The instant past which renewing cannot reach.
    pub renewable_until: Option<Timestamp>,
}

/// A live or dead credential with the account it speaks for, as one statement finds it.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// The credential.
    pub credential: Credential,
    /// Its public fingerprint.
    pub fingerprint: String,
    /// Whose it is.
    pub account: AccountRef,
    /// Whether the account may act.
    pub status: AccountStatus,
    /// The human who acts through it.
    pub acting: Option<AccountRef>,
    /// Whether that human may act.
    pub acting_status: Option<AccountStatus>,
    /// The human the agent is bound to.
    pub owner_id: Option<AccountId>,
    /// What the agent's standing token may do.
    pub standing_access: Option<StandingAccess>,
    /// The grant it is a token for, followed by those that one is a part of.
    pub chain: Vec<GrantLink>,
    /// The live kill switches, if it is an agent.
    pub stops: Vec<Stop>,
    /// Whether the agent's tokens are good only when they are bound to a key.
    pub bound_only: bool,
    /// Whether the agent changes refs by signed pushes only.
    pub signed_only: bool,
}

impl FromRow for Authentication {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let acting_status: Option<String> = row.get("acting_status")?;
        Ok(Self {
            credential: Credential::from_row(row)?,
            fingerprint: row.get("fingerprint")?,
            account: AccountRef {
                id: row.get("account_id")?,
                kind: row.get::<AccountKind>("account_kind")?,
                login: row.get("account_login")?,
                name: row.get("account_name")?,
                is_site_admin: row.get("account_is_site_admin")?,
            },
            status: row.get("account_status")?,
            acting: account_ref(row, "acting")?,
            acting_status: acting_status.as_deref().and_then(AccountStatus::parse),
            owner_id: row.get("owner_id")?,
            standing_access: row.get("standing_access")?,
            chain: grants::chain(row)?,
            stops: kill_switches::stops(row, "stops")?,
            bound_only: row.get::<Option<bool>>("bound_only")?.unwrap_or_default(),
            signed_only: row.get::<Option<bool>>("signed_only")?.unwrap_or_default(),
        })
    }
}

/// Finds the credential whose value has this hash, with everything a decision about its bearer needs.
///
/// # Errors
/// Only faults of the database.
pub async fn authenticate(conn: &mut Conn, hash: &[u8; 32]) -> StoreResult<Option<Authentication>> {
    conn.fetch_optional(
        sql!(
            "SELECT c.*, ",
            bearer_columns!(),
            chain_columns!(),
            " FROM (SELECT fingerprint, ",
            credential_columns!(),
            " FROM credentials WHERE hash = $1) c",
            bearer_tables!(),
            chain_tables!()
        ),
        params![hash],
    )
    .await
}

/// Finds the credential with this id, with everything a decision about its bearer needs.
///
/// # Errors
/// Only faults of the database.
pub async fn find_with_bearer(conn: &mut Conn, id: CredentialId) -> StoreResult<Option<Authentication>> {
    conn.fetch_optional(
        sql!(
            "SELECT c.*, ",
            bearer_columns!(),
            chain_columns!(),
            " FROM (SELECT fingerprint, ",
            credential_columns!(),
            " FROM credentials WHERE id = $1) c",
            bearer_tables!(),
            chain_tables!()
        ),
        params![id],
    )
    .await
}

/// Inserts a credential.
///
/// # Errors
/// `Duplicate` if the hash exists, which no honest run ever sees.
pub async fn insert(tx: &mut Tx, new: &NewCredential<'_>, now: Timestamp) -> StoreResult<Credential> {
    tx.fetch_one(
        sql!(
            "INSERT INTO credentials (account_id, kind, hash, key_id, tail, fingerprint, name, scopes, acting_id, \
             client_id, family, parent_id, cnf_jkt, created_at, expires_at, renewable_until, grant_id, audience) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING ",
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

/// Revokes every live credential that was derived from one, directly or not; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_derived(
    tx: &mut Tx,
    parent_id: CredentialId,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(revoke_those_where!(), "c.parent_id = $1", with_derived!()),
        params![parent_id, now, reason],
    )
    .await
}

/// Revokes the live switch sessions that were opened with one credential; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_switch_sessions_opened_with(
    tx: &mut Tx,
    parent_id: CredentialId,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE credentials SET revoked_at = $2, revoke_reason = $3 \
             WHERE parent_id = $1 AND kind = 'w' AND revoked_at IS NULL"
        ),
        params![parent_id, now, reason],
    )
    .await
}

/// Revokes the live switch sessions through which a human acts, as whatever agent; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_switch_sessions_of_human(
    tx: &mut Tx,
    human_id: AccountId,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE credentials SET revoked_at = $2, revoke_reason = $3 WHERE kind = 'w' AND acting_id = $1 \
             AND revoked_at IS NULL AND account_id IN (SELECT b.agent_id FROM agent_bindings b WHERE b.human_id = $1)"
        ),
        params![human_id, now, reason],
    )
    .await
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

/// Revokes the live switch sessions of an account, or the one named; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_switch_sessions(
    tx: &mut Tx,
    account_id: AccountId,
    only: Option<CredentialId>,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE credentials SET revoked_at = $3, revoke_reason = $4 WHERE account_id = $1 AND kind = 'w' \
             AND revoked_at IS NULL AND expires_at > $3 AND (CAST($2 AS BIGINT) IS NULL OR id = $2)"
        ),
        params![account_id, only, now, reason],
    )
    .await
}

/// Revokes one credential of an account; returns whether it was live.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke(
    tx: &mut Tx,
    account_id: AccountId,
    id: CredentialId,
    reason: &str,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE credentials SET revoked_at = $3, revoke_reason = $4 \
                 WHERE id = $2 AND account_id = $1 AND revoked_at IS NULL"
            ),
            params![account_id, id, now, reason],
        )
        .await?;
    Ok(rows == 1)
}

/// Revokes every live credential of an account; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_all(
    tx: &mut Tx,
    account_id: AccountId,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE credentials SET revoked_at = $2, revoke_reason = $3 WHERE account_id = $1 AND revoked_at IS NULL"
        ),
        params![account_id, now, reason],
    )
    .await
}

/// Revokes every live credential that descends from one authorization, with all that was made with one of them; returns
/// how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_family(tx: &mut Tx, family: &str, reason: &str, now: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!(revoke_those_where!(), "c.family = $1", with_derived!()), params![family, now, reason])
        .await
}

/// Revokes every live credential of an account that is bound to a key, with all that was made with one of them; returns how
/// many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_bound(
    tx: &mut Tx,
    account_id: AccountId,
    cnf_jkt: &str,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(revoke_those_where!(), "c.account_id = $1 AND c.cnf_jkt = $4", with_derived!()),
        params![account_id, now, reason, cnf_jkt],
    )
    .await
}

/// Revokes every live credential issued to a client, with all that was made with one of them; returns how many there
/// were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_client(tx: &mut Tx, client_id: &str, reason: &str, now: Timestamp) -> StoreResult<u64> {
    tx.execute(
        sql!(revoke_those_where!(), "c.client_id = $1", with_derived!()),
        params![client_id, now, reason],
    )
    .await
}

/// Revokes the live credentials of one kind that descend from one authorization; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn revoke_family_of_kind(
    tx: &mut Tx,
    family: &str,
    kind: CredentialKind,
    reason: &str,
    now: Timestamp,
) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE credentials SET revoked_at = $3, revoke_reason = $4 \
             WHERE family = $1 AND kind = $2 AND revoked_at IS NULL"
        ),
        params![family, kind.letter().to_string(), now, reason],
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

/// Returns whether a credential stands, and keeps it so until the transaction ends: whoever revokes it waits for the
/// commit. The accounts behind it are held already.
///
/// # Errors
/// Only faults of the database.
pub async fn hold(tx: &mut Tx, id: CredentialId, now: Timestamp) -> StoreResult<bool> {
    // SQLite has one writer, which is this transaction.
    let statement =
        if tx.is_sqlite() { sql!(standing!()) } else { postgres_sql!(standing!(), " FOR SHARE OF c") };
    let found: Option<Standing> = tx.fetch_optional(statement, params![id, now]).await?;
    Ok(found.is_some_and(|standing| standing.id == id))
}

/// The same of a credential whose time may be over: for what was asked for while it stood, and is done now.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_unrevoked(tx: &mut Tx, id: CredentialId) -> StoreResult<bool> {
    hold(tx, id, Timestamp::from_micros(i64::MIN)).await
}

struct Standing {
    id: CredentialId,
}
from_row!(Standing { id });

/// Returns which of these hashes are of secrets that somebody could use at `now`: credentials that stand, whoever's they are, and
/// invitations that can be accepted. One statement for each 64.
///
/// # Errors
/// Only faults of the database.
pub async fn list_live_among(
    conn: &mut Conn,
    hashes: &[[u8; 32]],
    now: Timestamp,
) -> StoreResult<Vec<Vec<u8>>> {
    struct Live {
        hash: Vec<u8>,
    }
    from_row!(Live { hash });
    let mut found: Vec<Live> = Vec::new();
    for piece in pieces(hashes) {
        let mut values = params![now];
        values.extend(piece.iter().map(|hash| Value::from(*hash)));
        let rows = if piece.len() == 1 {
            let one = sql!(
                "SELECT hash FROM credentials WHERE hash = $2 AND revoked_at IS NULL AND consumed_at IS NULL \
                 AND (expires_at IS NULL OR expires_at > $1) \
                 UNION ALL SELECT token_hash AS hash FROM agent_invites WHERE token_hash = $2 \
                 AND consumed_at IS NULL AND withdrawn_at IS NULL AND expires_at > $1"
            );
            conn.fetch_all(one, values).await?
        } else {
            let many = sql!(
                "SELECT hash FROM credentials WHERE revoked_at IS NULL AND consumed_at IS NULL \
                 AND (expires_at IS NULL OR expires_at > $1) AND hash IN (",
                name_list!(),
                ") UNION ALL SELECT token_hash AS hash FROM agent_invites WHERE consumed_at IS NULL \
                 AND withdrawn_at IS NULL AND expires_at > $1 AND token_hash IN (",
                name_list!(),
                ")"
            );
            conn.fetch_all(many, values).await?
        };
        found.extend(rows);
    }
    Ok(found.into_iter().map(|live| live.hash).collect())
}
