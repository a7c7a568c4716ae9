//! What accepting an invitation gave an agent: rows that bear the invitation's id, with what stood before.
//!
//! INVARIANT: whoever else writes such a row clears its `invite_id`, so that what bears one is there because of that
//! invitation alone and nobody decided about it since.

use forge_types::Permission;
use forge_types::Timestamp;
use forge_types::account::AccountRef;
use forge_types::id::{AccountId, InviteId, RepositoryId, TeamId};
use forge_types::organization::{Team, TeamRole};

use crate::row::{FromRow, Row, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A permission in a repository that an invitation gave or raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenPermission {
    /// The repository.
    pub repository_id: RepositoryId,
    /// `OWNER/NAME`.
    pub repo_full_name: String,
    /// What the agent has.
    pub permission: Permission,
    /// What it had before.
    pub permission_before: Option<Permission>,
}

impl FromRow for GivenPermission {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let permission: Option<Permission> = row.get("permission")?;
        Ok(Self {
            repository_id: row.get("repository_id")?,
            repo_full_name: row.get("repo_full_name")?,
            permission: permission.ok_or_else(|| corrupt("permission", "null"))?,
            permission_before: row.get("permission_before")?,
        })
    }
}

/// A place in a team that an invitation gave or raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenPlace {
    /// The team.
    pub team_id: TeamId,
    /// Its organization.
    pub organization_id: AccountId,
    /// The organization's login.
    pub org: String,
    /// The team's slug.
    pub team_slug: String,
    /// What the agent is there.
    pub role: TeamRole,
    /// What it was before.
    pub role_before: Option<TeamRole>,
}

from_row!(GivenPlace { team_id, organization_id, org, team_slug, role, role_before });

/// A membership of an organization that an invitation gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenMembership {
    /// The organization.
    pub organization_id: AccountId,
    /// Its login.
    pub org: String,
}

from_row!(GivenMembership { organization_id, org });

/// Gives an agent a permission in a repository unless it has as much; returns whether that changed anything. An invitation
/// names a repository once.
///
/// # Errors
/// Only faults of the database.
pub async fn raise_permission(
    tx: &mut Tx,
    invite: &InviteId,
    repository: RepositoryId,
    agent: &AccountRef,
    permission: Permission,
    by: AccountId,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO collaborators (repository_id, account_id, account_kind, permission, created_by, created_at, \
                 invite_id) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (repository_id, account_id) DO UPDATE SET permission = excluded.permission, \
                 permission_before = collaborators.permission, invite_id = excluded.invite_id WHERE collaborators.permission < excluded.permission"
            ),
            params![repository, agent.id, agent.kind.as_str(), permission.rank(), by, now, invite],
        )
        .await?;
    Ok(rows == 1)
}

/// Puts an agent into a team unless it is as much there; returns whether that changed anything.
///
/// # Errors
/// `Constraint` if it is no member of the organization.
pub async fn raise_role(
    tx: &mut Tx,
    invite: &InviteId,
    team: &Team,
    agent: AccountId,
    role: TeamRole,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO team_members (team_id, organization_id, member_id, role, created_at, invite_id) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, member_id) DO UPDATE SET role = excluded.role, \
                 role_before = team_members.role, invite_id = excluded.invite_id WHERE team_members.role = 'member' AND excluded.role = 'maintainer'"
            ),
            params![team.id, team.organization_id, agent, role.as_str(), now, invite],
        )
        .await?;
    Ok(rows == 1)
}

/// Makes an agent a member of an organization unless it is one; returns whether that changed anything.
///
/// # Errors
/// Only faults of the database.
pub async fn join_organization(
    tx: &mut Tx,
    invite: &InviteId,
    organization: AccountId,
    agent: &AccountRef,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO organization_members (organization_id, member_id, member_kind, role, created_at, invite_id) \
                 VALUES ($1, $2, $3, 'member', $4, $5) ON CONFLICT (organization_id, member_id) DO NOTHING"
            ),
            params![organization, agent.id, agent.kind.as_str(), now, invite],
        )
        .await?;
    Ok(rows == 1)
}

/// Returns the permissions that an agent has by this invitation.
///
/// # Errors
/// Only faults of the database.
pub async fn list_permissions(
    conn: &mut Conn,
    invite: &InviteId,
    agent: AccountId,
) -> StoreResult<Vec<GivenPermission>> {
    conn.fetch_all(
        sql!(
            "SELECT c.repository_id, o.login || '/' || r.name AS repo_full_name, c.permission, c.permission_before \
             FROM collaborators c JOIN repositories r ON r.id = c.repository_id JOIN accounts o ON o.id = r.owner_id \
             WHERE c.account_id = $1 AND c.invite_id = $2 ORDER BY c.repository_id"
        ),
        params![agent, invite],
    )
    .await
}

/// Returns the places in teams that an agent has by this invitation.
///
/// # Errors
/// Only faults of the database.
pub async fn list_places(
    conn: &mut Conn,
    invite: &InviteId,
    agent: AccountId,
) -> StoreResult<Vec<GivenPlace>> {
    conn.fetch_all(
        sql!(
            "SELECT m.team_id, m.organization_id, o.login AS org, t.slug AS team_slug, m.role, m.role_before \
             FROM team_members m JOIN teams t ON t.id = m.team_id JOIN accounts o ON o.id = m.organization_id \
             WHERE m.member_id = $1 AND m.invite_id = $2 ORDER BY m.team_id"
        ),
        params![agent, invite],
    )
    .await
}

/// Returns the memberships of organizations that an agent has by this invitation.
///
/// # Errors
/// Only faults of the database.
pub async fn list_memberships(
    conn: &mut Conn,
    invite: &InviteId,
    agent: AccountId,
) -> StoreResult<Vec<GivenMembership>> {
    conn.fetch_all(
        sql!(
            "SELECT m.organization_id, o.login AS org FROM organization_members m \
             JOIN accounts o ON o.id = m.organization_id WHERE m.member_id = $1 AND m.invite_id = $2 \
             ORDER BY m.organization_id"
        ),
        params![agent, invite],
    )
    .await
}

/// Lowers a permission to what it was before this invitation, or ends it; false when it is no longer the invitation's.
///
/// # Errors
/// Only faults of the database.
pub async fn take_permission(
    tx: &mut Tx,
    invite: &InviteId,
    agent: AccountId,
    given: &GivenPermission,
) -> StoreResult<bool> {
    let statement = match given.permission_before {
        None => sql!(
            "DELETE FROM collaborators WHERE repository_id = $1 AND account_id = $2 AND invite_id = $3 \
             AND permission_before IS NULL"
        ),
        Some(_) => sql!(
            "UPDATE collaborators SET permission = permission_before, permission_before = NULL, invite_id = NULL \
             WHERE repository_id = $1 AND account_id = $2 AND invite_id = $3 AND permission_before IS NOT NULL"
        ),
    };
    Ok(tx.execute(statement, params![given.repository_id, agent, invite]).await? == 1)
}

/// Lowers a place in a team to what it was before this invitation, or ends it; false when it is no longer the
/// invitation's.
///
/// # Errors
/// Only faults of the database.
pub async fn take_place(
    tx: &mut Tx,
    invite: &InviteId,
    agent: AccountId,
    given: &GivenPlace,
) -> StoreResult<bool> {
    let statement = match given.role_before {
        None => sql!(
            "DELETE FROM team_members WHERE team_id = $1 AND member_id = $2 AND invite_id = $3 AND role_before IS NULL"
        ),
        Some(_) => sql!(
            "UPDATE team_members SET role = role_before, role_before = NULL, invite_id = NULL \
             WHERE team_id = $1 AND member_id = $2 AND invite_id = $3 AND role_before IS NOT NULL"
        ),
    };
    Ok(tx.execute(statement, params![given.team_id, agent, invite]).await? == 1)
}

/// Ends a membership of an organization; false when it is no longer the invitation's, or somebody gave the agent a place
/// in a team there since.
///
/// # Errors
/// Only faults of the database.
pub async fn take_membership(
    tx: &mut Tx,
    invite: &InviteId,
    agent: AccountId,
    organization: AccountId,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "DELETE FROM organization_members WHERE organization_id = $1 AND member_id = $2 AND invite_id = $3 \
                 AND NOT EXISTS (SELECT 1 FROM team_members t WHERE t.organization_id = $1 AND t.member_id = $2)"
            ),
            params![organization, agent, invite],
        )
        .await?;
    Ok(rows == 1)
}
