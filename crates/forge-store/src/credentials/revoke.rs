//! Ending credentials, each way with all that was derived from them.

use forge_types::Timestamp;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId};

use crate::statement::{params, sql};
use crate::{StoreResult, Tx};

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
