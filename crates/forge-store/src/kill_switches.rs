//! Kill switches. Ref changes of agents hold the one row of `kill_switch_epoch`; whoever sets a switch changes it, and so
//! waits for those under way, and nobody moves a ref after that without having seen the switch.

use forge_types::Timestamp;
use forge_types::id::{AccountId, KillSwitchId};
use forge_types::kill_switch::{KillSwitch, Stop, StopScope};
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

/// The live kill switches, a line each, as [`Stop::parse`] reads them; null if there are none.
macro_rules! live_stops {
    () => {
        "(SELECT string_agg(k.id || ' ' || k.scope_kind || ' ' || COALESCE(k.scope_account_id, 0) || ' ' \
         || k.scope_text, '\n') FROM kill_switches k WHERE k.lifted_at IS NULL)"
    };
}
pub(crate) use live_stops;

/// Reads what [`live_stops`] selected.
pub(crate) fn stops(row: &Row<'_>, name: &str) -> StoreResult<Vec<Stop>> {
    let text: Option<String> = row.get(name)?;
    let lines = text.iter().flat_map(|text| text.split('\n'));
    lines.map(|line| Stop::parse(line).ok_or_else(|| corrupt(name, line))).collect()
}

struct Stops(Vec<Stop>);

impl FromRow for Stops {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        stops(row, "stops").map(Self)
    }
}

struct Epoch {
    #[expect(dead_code, reason = "that it is held is all that is asked")]
    epoch: i64,
}
from_row!(Epoch { epoch });

/// Returns the live kill switches.
///
/// # Errors
/// Only faults of the database.
pub async fn list_live(conn: &mut Conn) -> StoreResult<Vec<Stop>> {
    let Stops(stops) = conn.fetch_one(sql!("SELECT ", live_stops!(), " AS stops"), params![]).await?;
    Ok(stops)
}

/// Returns the live kill switches and keeps further ones from being set until the transaction ends.
///
/// # Errors
/// Only faults of the database.
pub async fn hold_live(tx: &mut Tx) -> StoreResult<Vec<Stop>> {
    if !tx.is_sqlite() {
        let held = postgres_sql!("SELECT epoch FROM kill_switch_epoch WHERE id = 1 FOR SHARE");
        let _: Option<Epoch> = tx.fetch_optional(held, params![]).await?;
    }
    list_live(tx).await
}

/// Sets a kill switch. Once the transaction has committed, no agent that it stops moves a ref.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(
    tx: &mut Tx,
    id: &KillSwitchId,
    scope: &StopScope,
    reason: &str,
    set_by: AccountId,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(sql!("UPDATE kill_switch_epoch SET epoch = epoch + 1 WHERE id = 1"), params![]).await?;
    let (kind, account, text) = scope.parts();
    tx.execute(
        sql!(
            "INSERT INTO kill_switches (id, scope_kind, scope_account_id, scope_text, reason, set_by, set_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![id, kind, account, text, reason, set_by, now],
    )
    .await?;
    Ok(())
}

impl FromRow for KillSwitch {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let (kind, text): (String, String) = (row.get("scope_kind")?, row.get("scope_text")?);
        let scope = StopScope::from_parts(&kind, row.get("scope_account_id")?, &text);
        Ok(Self {
            id: row.get("id")?,
            scope: scope.ok_or_else(|| corrupt("scope_kind", &kind))?,
            scope_login: row.get("scope_login")?,
            reason: row.get("reason")?,
            set_by: account_ref(row, "setter")?.ok_or_else(|| corrupt("set_by", "null"))?,
            set_at: row.get("set_at")?,
            lifted_at: row.get("lifted_at")?,
        })
    }
}

/// The columns of a [`KillSwitch`].
macro_rules! kill_switch_columns {
    () => {
        "k.id, k.scope_kind, k.scope_account_id, k.scope_text, k.reason, k.set_at, k.lifted_at, s.login AS scope_login, \
         b.id AS setter_id, b.kind AS setter_kind, b.login AS setter_login, b.name AS setter_name, \
         b.is_site_admin AS setter_is_site_admin"
    };
}

/// Where they come from.
macro_rules! kill_switch_tables {
    () => {
        " FROM kill_switches k JOIN accounts b ON b.id = k.set_by LEFT JOIN accounts s ON s.id = k.scope_account_id "
    };
}

/// Returns the kill switch with this id.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, id: &KillSwitchId) -> StoreResult<Option<KillSwitch>> {
    conn.fetch_optional(
        sql!("SELECT ", kill_switch_columns!(), kill_switch_tables!(), "WHERE k.id = $1"),
        params![id],
    )
    .await
}

/// Returns a page of the kill switches that are live, newest first: those this account set, or all.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    set_by: Option<AccountId>,
    page: PageRequest,
) -> StoreResult<Page<KillSwitch>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            kill_switch_columns!(),
            ", COUNT(*) OVER () AS total",
            kill_switch_tables!(),
            "WHERE k.lifted_at IS NULL AND (CAST($1 AS BIGINT) IS NULL OR k.set_by = $1) \
             ORDER BY k.set_at DESC, k.id LIMIT $2 OFFSET $3"
        ),
        params![set_by],
        page,
    )
    .await
}

/// Lifts a kill switch; false if it was lifted before.
///
/// # Errors
/// Only faults of the database.
pub async fn lift(tx: &mut Tx, id: &KillSwitchId, by: AccountId, now: Timestamp) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "UPDATE kill_switches SET lifted_at = $3, lifted_by = $2 WHERE id = $1 AND lifted_at IS NULL"
            ),
            params![id, by, now],
        )
        .await?;
    Ok(rows == 1)
}
