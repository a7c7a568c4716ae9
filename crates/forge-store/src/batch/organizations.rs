//! The organizations that many accounts belong to.

use std::collections::HashMap;

use forge_types::account::AccountRef;
use forge_types::id::AccountId;
use forge_types::window::{Window, Windowed};

use super::{BATCH, Placed, gather, id_list, in_window, padded, window_parameters};
use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt};
use crate::statement::sql;
use crate::{Conn, StoreResult};

struct MembershipRow(Placed<AccountId, AccountRef>);

impl FromRow for MembershipRow {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let organization =
            account_ref(row, "organization")?.ok_or_else(|| corrupt("organization_id", "null"))?;
        Placed::read(row, row.get("member_id")?, organization).map(Self)
    }
}

/// Returns the organizations of each of these members, by login: of others than `caller` those they show.
///
/// # Errors
/// Only faults of the database.
pub async fn organizations(
    conn: &mut Conn,
    caller: Option<AccountId>,
    members: &[AccountId],
    window: Window,
) -> StoreResult<HashMap<AccountId, Windowed<AccountRef>>> {
    let mut lists = HashMap::new();
    for ids in members.chunks(BATCH) {
        let mut parameters = padded(ids);
        parameters.extend(window_parameters(window));
        parameters.push(caller.into());
        let rows: Vec<MembershipRow> = conn
            .fetch_all(
                sql!(
                    "SELECT * FROM (SELECT m.member_id, a.id AS organization_id, a.kind AS organization_kind, \
                     a.login AS organization_login, a.name AS organization_name, \
                     a.is_site_admin AS organization_is_site_admin, \
                     COUNT(*) OVER (PARTITION BY m.member_id) AS total, \
                     ROW_NUMBER() OVER (PARTITION BY m.member_id ORDER BY a.login_key) AS position \
                     FROM organization_members m JOIN accounts a ON a.id = m.organization_id \
                     WHERE m.member_id IN (",
                    id_list!(),
                    ") AND (m.is_public = TRUE OR m.member_id = $105) AND a.status <> 'deleted') AS placed WHERE ",
                    in_window!(),
                    " ORDER BY member_id, position"
                ),
                parameters,
            )
            .await?;
        gather(rows.into_iter().map(|MembershipRow(row)| row).collect(), window, &mut lists);
    }
    Ok(lists)
}
