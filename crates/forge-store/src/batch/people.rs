//! Who has access to many repositories.

use std::collections::HashMap;

use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::window::{Window, Windowed};

use super::{BATCH, Placed, gather, id_list, in_window, padded, window_parameters};
use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt, like_escaped};
use crate::statement::sql;
use crate::{Conn, StoreResult};

/// Which people of a repository are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct People {
    /// A text in their login or name.
    pub query: Option<String>,
    /// Only the owner, members of the organization who show it, and this account.
    pub only_known_to: Option<AccountId>,
    /// Which part of them.
    pub window: Window,
}

struct PersonRow(Placed<RepositoryId, AccountRef>);

impl FromRow for PersonRow {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let person = account_ref(row, "person")?.ok_or_else(|| corrupt("person_id", "null"))?;
        Placed::read(row, row.get("repository_id")?, person).map(Self)
    }
}

/// Returns the people with access to each of these repositories, by login.
///
/// # Errors
/// Only faults of the database.
pub async fn people(
    conn: &mut Conn,
    repositories: &[RepositoryId],
    wanted: &People,
) -> StoreResult<HashMap<RepositoryId, Windowed<AccountRef>>> {
    let mut lists = HashMap::new();
    for ids in repositories.chunks(BATCH) {
        let mut parameters = padded(ids);
        parameters.extend(window_parameters(wanted.window));
        parameters.push(wanted.query.as_deref().map(like_escaped).into());
        parameters.push(wanted.only_known_to.into());
        let rows: Vec<PersonRow> = conn
            .fetch_all(
                sql!(
                    "WITH wanted AS (SELECT r.id, r.owner_id FROM repositories r WHERE r.id IN (",
                    id_list!(),
                    ")), access AS ( \
                         SELECT w.id AS repository_id, w.owner_id AS account_id, TRUE AS is_known FROM wanted w \
                             JOIN accounts o ON o.id = w.owner_id WHERE o.kind <> 'organization' \
                         UNION SELECT w.id, m.member_id, m.is_public FROM wanted w \
                             JOIN organization_members m ON m.organization_id = w.owner_id \
                             JOIN organizations g ON g.account_id = w.owner_id \
                             WHERE m.role = 'admin' OR g.default_permission IS NOT NULL \
                         UNION SELECT tr.repository_id, tm.member_id, FALSE FROM wanted w \
                             JOIN team_repositories tr ON tr.repository_id = w.id \
                             JOIN team_members tm ON tm.team_id = tr.team_id \
                         UNION SELECT c.repository_id, c.account_id, FALSE FROM wanted w \
                             JOIN collaborators c ON c.repository_id = w.id), \
                     persons AS (SELECT DISTINCT repository_id, account_id FROM access \
                         WHERE CAST($106 AS BIGINT) IS NULL OR is_known = TRUE OR account_id = $106) \
                     SELECT * FROM (SELECT p.repository_id, a.id AS person_id, a.kind AS person_kind, \
                         a.login AS person_login, a.name AS person_name, a.is_site_admin AS person_is_site_admin, \
                         COUNT(*) OVER (PARTITION BY p.repository_id) AS total, \
                         ROW_NUMBER() OVER (PARTITION BY p.repository_id ORDER BY a.login_key) AS position \
                         FROM persons p JOIN accounts a ON a.id = p.account_id WHERE a.status = 'active' \
                         AND (CAST($105 AS TEXT) IS NULL OR a.login_key LIKE '%' || $105 || '%' ESCAPE '\\' \
                             OR LOWER(COALESCE(a.name, '')) LIKE '%' || $105 || '%' ESCAPE '\\')) AS placed WHERE ",
                    in_window!(),
                    " ORDER BY repository_id, position"
                ),
                parameters,
            )
            .await?;
        gather(rows.into_iter().map(|PersonRow(row)| row).collect(), wanted.window, &mut lists);
    }
    Ok(lists)
}
