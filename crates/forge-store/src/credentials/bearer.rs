//! A credential with whoever bears it: all that a decision needs, in one statement, and holding it until a transaction ends.

use forge_types::Timestamp;
use forge_types::account::{AccountKind, AccountRef, AccountStatus};
use forge_types::agent::StandingAccess;
use forge_types::ceiling::Ceiling;
use forge_types::credential::Credential;
use forge_types::id::{AccountId, CredentialId};
use forge_types::kill_switch::Stop;

use crate::accounts::account_ref;
use crate::grants::{self, GrantLink, chain_columns, chain_tables};
use crate::kill_switches::{self, live_stops};
use crate::refs::batch::{name_list, pieces};
use crate::row::{FromRow, Row, Value, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

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
             b.human_id AS owner_id, g.standing_access, g.bound_only, g.signed_only, g.ceiling, \
             m.id AS mode_id, m.kind AS mode_kind, m.login AS mode_login, m.name AS mode_name, \
             m.is_site_admin AS mode_is_site_admin, m.status AS mode_status, CASE WHEN a.kind = 'agent' THEN ",
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
         LEFT JOIN accounts m ON m.id = g.delegator_id \
         LEFT JOIN agent_bindings b ON b.agent_id = c.account_id "
    };
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
    /// With whose rights an agent in delegated mode acts, and whether that one may act.
    pub on_behalf_of: Option<(AccountRef, AccountStatus)>,
    /// What the agent has at most.
    pub ceiling: Option<Ceiling>,
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
            on_behalf_of: account_ref(row, "mode")?.zip(row.get("mode_status")?),
            ceiling: row.get("ceiling")?,
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
