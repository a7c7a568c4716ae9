//! Device codes: a device waits while a person types its user code elsewhere.

use forge_types::id::{AccountId, CredentialId, GrantId};
use forge_types::{Scopes, Timestamp};

use crate::row::{Column, FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// Where a device code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DeviceState {
    Pending,
    Approved,
    Denied,
    Consumed,
}

impl DeviceState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Consumed => "consumed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Denied, Self::Consumed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl Column for DeviceState {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        Self::parse(&text).ok_or_else(|| corrupt(name, &text))
    }
}

/// A device code.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// Its id.
    pub id: i64,
    /// The client that waits.
    pub client_id: String,
    /// What it asks for.
    pub scopes: Scopes,
    /// Whether it asks for a refresh token.
    pub wants_refresh: bool,
    /// The thumbprint of the key of which a proof has to come with it.
    pub dpop_jkt: Option<String>,
    /// The task that an agent asks for, as RFC 9396 has it, in place of access to an account.
    pub authorization_details: Option<String>,
    /// The agent.
    pub agent_id: Option<AccountId>,
    /// Whether the agent consents by asking.
    pub is_consent: bool,
    /// The grant that came of it.
    pub grant_id: Option<GrantId>,
    /// Where it stands.
    pub state: DeviceState,
    /// Who decided.
    pub account_id: Option<AccountId>,
    /// The credential with which it was approved, when that was not a browser session.
    pub approver_credential_id: Option<CredentialId>,
    /// Where the device asked from.
    pub ip: Option<String>,
    /// The program the device says it is.
    pub user_agent: Option<String>,
    /// The seconds between two polls.
    pub poll_interval: i64,
    /// When it last asked.
    pub last_polled_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops.
    pub expires_at: Timestamp,
}

impl FromRow for DeviceCode {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let scopes: String = row.get("scopes")?;
        Ok(Self {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            scopes: Scopes::parse(&scopes).map_err(|_| corrupt("scopes", &scopes))?,
            wants_refresh: row.get("wants_refresh")?,
            dpop_jkt: row.get("dpop_jkt")?,
            authorization_details: row.get("authorization_details")?,
            agent_id: row.get("agent_id")?,
            is_consent: row.get::<Option<bool>>("is_consent")?.unwrap_or_default(),
            grant_id: row.get("grant_id")?,
            state: row.get("state")?,
            account_id: row.get("account_id")?,
            approver_credential_id: row.get("approver_credential_id")?,
            ip: row.get("ip")?,
            user_agent: row.get("user_agent")?,
            poll_interval: row.get("poll_interval")?,
            last_polled_at: row.get("last_polled_at")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// The columns of a [`DeviceCode`].
macro_rules! device_columns {
    () => {
        "id, client_id, scopes, wants_refresh, dpop_jkt, authorization_details, agent_id, is_consent, grant_id, state, account_id, approver_credential_id, ip, user_agent, \
         poll_interval, last_polled_at, created_at, expires_at"
    };
}

/// What a new device code is made of.
#[derive(Clone, Debug)]
pub struct NewDeviceCode<'a> {
    /// The keyed hash of the code the device keeps.
    pub device_hash: [u8; 32],
    /// The keyed hash of the code the person types.
    pub user_code_hash: [u8; 32],
    /// The client that waits.
    pub client_id: &'a str,
    /// What it asks for.
    pub scopes: &'a Scopes,
    /// Whether it asks for a refresh token.
    pub wants_refresh: bool,
    /// The thumbprint of the key of which a proof has to come with it.
    pub dpop_jkt: Option<&'a str>,
    /// The agent that asks for a task, the task, and whether asking is consent.
    pub task: Option<(AccountId, &'a str, bool)>,
    /// Where the device asks from.
    pub ip: Option<&'a str>,
    /// The program the device says it is.
    pub user_agent: Option<&'a str>,
    /// The seconds between two polls.
    pub poll_interval: i64,
    /// When it stops.
    pub expires_at: Timestamp,
}

/// Inserts a device code.
///
/// # Errors
/// `Duplicate` if the user code is in use; another one has to be drawn.
pub async fn insert(tx: &mut Tx, new: &NewDeviceCode<'_>, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO device_codes (device_hash, user_code_hash, client_id, scopes, wants_refresh, dpop_jkt, ip, \
             user_agent, poll_interval, created_at, expires_at, agent_id, authorization_details, is_consent) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        params![
            new.device_hash,
            new.user_code_hash,
            new.client_id,
            new.scopes.to_string(),
            new.wants_refresh,
            new.dpop_jkt,
            new.ip,
            new.user_agent,
            new.poll_interval,
            now,
            new.expires_at,
            new.task.map(|(agent, ..)| agent),
            new.task.map(|(_, details, _)| details),
            new.task.map(|(.., is_consent)| is_consent),
        ],
    )
    .await?;
    Ok(())
}

/// Returns the code that the device keeps under this hash.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_device_hash(conn: &mut Conn, hash: &[u8; 32]) -> StoreResult<Option<DeviceCode>> {
    conn.fetch_optional(
        sql!("SELECT ", device_columns!(), " FROM device_codes WHERE device_hash = $1"),
        params![hash],
    )
    .await
}

/// Returns the code, still waiting for a decision, that the person typed.
///
/// # Errors
/// Only faults of the database.
pub async fn find_pending(
    conn: &mut Conn,
    hash: &[u8; 32],
    now: Timestamp,
) -> StoreResult<Option<DeviceCode>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            device_columns!(),
            " FROM device_codes WHERE user_code_hash = $1 AND state = 'pending' AND expires_at > $2"
        ),
        params![hash, now],
    )
    .await
}

/// Decides a code that still waits; returns whether this call was the one that decided.
///
/// # Errors
/// `Constraint` if the account is not a human.
pub async fn decide(
    tx: &mut Tx,
    id: i64,
    is_approved: bool,
    account_id: AccountId,
    credential_id: Option<CredentialId>,
    now: Timestamp,
) -> StoreResult<bool> {
    let state = if is_approved { DeviceState::Approved } else { DeviceState::Denied };
    let rows = tx
        .execute(
            sql!(
                "UPDATE device_codes SET state = $2, account_id = $3, account_kind = 'human', \
                 approver_credential_id = $4, decided_at = $5 \
                 WHERE id = $1 AND state = 'pending' AND expires_at > $5"
            ),
            params![id, state.as_str(), account_id, credential_id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Notes the grant that came of a code.
///
/// # Errors
/// Only faults of the database.
pub async fn set_grant(tx: &mut Tx, id: i64, grant_id: &GrantId) -> StoreResult<()> {
    tx.execute(sql!("UPDATE device_codes SET grant_id = $2 WHERE id = $1"), params![id, grant_id]).await?;
    Ok(())
}

/// Uses up an approved code; returns whether this call was the one that used it.
///
/// # Errors
/// Only faults of the database.
pub async fn consume(tx: &mut Tx, id: i64) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("UPDATE device_codes SET state = 'consumed' WHERE id = $1 AND state = 'approved'"),
            params![id],
        )
        .await?;
    Ok(rows == 1)
}

/// Takes back every approval of a human that no device has used yet; returns how many there were.
///
/// # Errors
/// Only faults of the database.
pub async fn withdraw_all(tx: &mut Tx, account_id: AccountId, now: Timestamp) -> StoreResult<u64> {
    tx.execute(
        sql!(
            "UPDATE device_codes SET state = 'denied', decided_at = $2 \
             WHERE account_id = $1 AND state = 'approved' AND expires_at > $2"
        ),
        params![account_id, now],
    )
    .await
}

/// Notes a poll and the interval that holds from now on.
///
/// # Errors
/// Only faults of the database.
pub async fn update_poll(tx: &mut Tx, id: i64, poll_interval: i64, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE device_codes SET poll_interval = $2, last_polled_at = $3 WHERE id = $1"),
        params![id, poll_interval, now],
    )
    .await?;
    Ok(())
}

/// Forgets codes that ended before `horizon`; returns how many.
///
/// # Errors
/// Only faults of the database.
pub async fn delete_before(tx: &mut Tx, horizon: Timestamp) -> StoreResult<u64> {
    tx.execute(sql!("DELETE FROM device_codes WHERE expires_at < $1"), params![horizon]).await
}
