//! Members of teams; each is a member of the team's organization.

use forge_types::Timestamp;
use forge_types::account::AccountRef;
use forge_types::id::{AccountId, TeamId};
use forge_types::organization::{OrganizationRole, Team, TeamRole};
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    /// The account.
    pub account: AccountRef,
    /// What it is in the team; owners of the organization count as maintainers.
    pub role: TeamRole,
}

impl FromRow for TeamMember {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let organization_role: OrganizationRole = row.get("organization_role")?;
        let role = row.get("role")?;
        Ok(Self {
            account: account_ref(row, "account")?.ok_or_else(|| corrupt("account_id", "null"))?,
            role: if organization_role == OrganizationRole::Admin { TeamRole::Maintainer } else { role },
        })
    }
}

/// The columns of a [`TeamMember`], from [`members_of_team`].
macro_rules! team_member_columns {
    () => {
        "a.id AS account_id, a.kind AS account_kind, a.login AS account_login, a.name AS account_name, \
         a.is_site_admin AS account_is_site_admin, tm.role, m.role AS organization_role"
    };
}

/// Where the members of the team `$1` come from.
macro_rules! members_of_team {
    () => {
        " FROM team_members tm JOIN accounts a ON a.id = tm.member_id \
         JOIN organization_members m ON m.organization_id = tm.organization_id AND m.member_id = tm.member_id \
         WHERE tm.team_id = $1 AND a.status <> 'deleted'"
    };
}

/// Returns the members of a team, by login.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    team: TeamId,
    role: Option<TeamRole>,
    page: PageRequest,
) -> StoreResult<Page<TeamMember>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            team_member_columns!(),
            ", COUNT(*) OVER () AS total",
            members_of_team!(),
            " AND (CAST($2 AS TEXT) IS NULL \
             OR $2 = CASE WHEN m.role = 'admin' THEN 'maintainer' ELSE tm.role END) \
             ORDER BY a.login_key LIMIT $3 OFFSET $4"
        ),
        params![team, role.map(TeamRole::as_str)],
        page,
    )
    .await
}

/// Returns a member of a team.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, team: TeamId, member: AccountId) -> StoreResult<Option<TeamMember>> {
    conn.fetch_optional(
        sql!("SELECT ", team_member_columns!(), members_of_team!(), " AND tm.member_id = $2"),
        params![team, member],
    )
    .await
}

/// Makes a member of the organization a member of the team, or gives one another role.
///
/// # Errors
/// `Constraint` if the account is no member of the organization.
pub async fn upsert(
    tx: &mut Tx,
    team: &Team,
    member: AccountId,
    role: TeamRole,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO team_members (team_id, organization_id, member_id, role, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (team_id, member_id) DO UPDATE SET role = excluded.role, \
             role_before = NULL, invite_id = NULL"
        ),
        params![team.id, team.organization_id, member, role.as_str(), now],
    )
    .await?;
    Ok(())
}

/// Removes a member of a team; returns whether it was one.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, team: TeamId, member: AccountId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM team_members WHERE team_id = $1 AND member_id = $2"),
            params![team, member],
        )
        .await?;
    Ok(rows == 1)
}
