//! The agents of one human with what each may reach, in one statement.

use forge_types::agent::{Agent, AgentOverview, TeamPlace};
use forge_types::id::AccountId;
use forge_types::organization::TeamRole;
use forge_types::page::{Page, PageRequest};
use forge_types::{Permission, Timestamp};

use super::{agent_columns, agent_tables};
use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

impl FromRow for AgentOverview {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            agent: Agent::from_row(row)?,
            credential_created_at: row.get("credential_created_at")?,
            repositories: list(row, "repositories", repository)?,
            teams: list(row, "teams", team)?,
        })
    }
}

/// Reads a list of pairs: items are separated by commas, their two halves by a space.
fn list<T>(row: &Row<'_>, column: &str, turn: fn(&str, &str) -> Option<T>) -> StoreResult<Vec<T>> {
    let text: Option<String> = row.get(column)?;
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut items: Vec<&str> = text.split(',').collect();
    items.sort_unstable();
    let read = |item: &str| item.split_once(' ').and_then(|(left, right)| turn(left, right));
    items.into_iter().map(|item| read(item).ok_or_else(|| corrupt(column, item))).collect()
}

fn repository(name: &str, rank: &str) -> Option<(String, Permission)> {
    Some((name.to_owned(), Permission::from_rank(rank.parse().ok()?)?))
}

fn team(name: &str, role: &str) -> Option<TeamPlace> {
    let (organization_login, slug) = name.split_once('/')?;
    Some(TeamPlace {
        organization_login: organization_login.to_owned(),
        slug: slug.to_owned(),
        role: TeamRole::parse(role)?,
    })
}

/// Returns a page of the agents bound to this human, by login.
///
/// # Errors
/// Only faults of the database.
pub async fn list_by_human(
    conn: &mut Conn,
    human_id: AccountId,
    now: Timestamp,
    page: PageRequest,
) -> StoreResult<Page<AgentOverview>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            agent_columns!(),
            ", (SELECT MAX(c.created_at) FROM credentials c WHERE c.account_id = a.id AND c.kind IN ('p', 'b') \
             AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $2)) AS credential_created_at, \
             (SELECT string_agg(w.login || '/' || r.name || ' ' || CAST(x.rank AS TEXT), ',') FROM ( \
                 SELECT l.repository_id, l.permission AS rank FROM collaborators l WHERE l.account_id = a.id \
                 UNION ALL SELECT n.id, 5 FROM repositories n WHERE n.owner_id = a.id \
             ) x JOIN repositories r ON r.id = x.repository_id JOIN accounts w ON w.id = r.owner_id) AS repositories, \
             (SELECT string_agg(z.login || '/' || t.slug || ' ' || m.role, ',') FROM team_members m \
                 JOIN teams t ON t.id = m.team_id JOIN accounts z ON z.id = t.organization_id \
                 WHERE m.member_id = a.id) AS teams, COUNT(*) OVER () AS total FROM ",
            agent_tables!(),
            " WHERE b.human_id = $1 AND a.status <> 'deleted' ORDER BY a.login_key LIMIT $3 OFFSET $4"
        ),
        params![human_id, now],
        page,
    )
    .await
}
