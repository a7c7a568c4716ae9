//! Teams of organizations. Their members are in `team_members`, what they have access to in `team_repositories`.

use forge_types::id::{AccountId, TeamId};
use forge_types::organization::{OrganizationRole, Team, TeamPrivacy, TeamRole};
use forge_types::page::{Page, PageRequest};
use forge_types::{Timestamp, name};

use crate::row::{FromRow, Row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// The columns of a [`Team`] named `t` of the organization whose account is `a`.
macro_rules! team_columns {
    () => {
        "t.id, t.organization_id, a.login AS organization_login, t.name, t.slug, t.description, t.privacy, \
         t.created_at, t.updated_at"
    };
}

/// What the account `$1` is in the organization and the team.
macro_rules! team_roles {
    () => {
        "(SELECT m.role FROM organization_members m \
             WHERE m.organization_id = t.organization_id AND m.member_id = $1) AS organization_role, \
         (SELECT tm.role FROM team_members tm WHERE tm.team_id = t.id AND tm.member_id = $1) AS role, \
         (SELECT COUNT(*) FROM team_members tm WHERE tm.team_id = t.id) AS members, \
         (SELECT COUNT(*) FROM team_repositories tr WHERE tr.team_id = t.id) AS repositories"
    };
}

impl FromRow for Team {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            organization_id: row.get("organization_id")?,
            organization_login: row.get("organization_login")?,
            name: row.get("name")?,
            slug: row.get("slug")?,
            description: row.get("description")?,
            privacy: row.get("privacy")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// A team, what the caller is in it, and what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamRecord {
    /// The team.
    pub team: Team,
    /// What the caller is in the organization.
    pub organization_role: Option<OrganizationRole>,
    /// What the caller is in the team.
    pub role: Option<TeamRole>,
    /// How many members it has.
    pub members: i64,
    /// How many repositories it has access to.
    pub repositories: i64,
}

impl FromRow for TeamRecord {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            team: Team::from_row(row)?,
            organization_role: row.get("organization_role")?,
            role: row.get("role")?,
            members: row.get("members")?,
            repositories: row.get("repositories")?,
        })
    }
}

/// Returns the team `slug` of the organization `login`, with what `caller` is there.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_slug(
    conn: &mut Conn,
    caller: Option<AccountId>,
    login: &str,
    slug: &str,
) -> StoreResult<Option<TeamRecord>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            team_columns!(),
            ", ",
            team_roles!(),
            " FROM teams t JOIN accounts a ON a.id = t.organization_id WHERE a.login_key = $2 AND t.slug = $3"
        ),
        params![caller, name::key(login), name::key(slug)],
    )
    .await
}

/// Returns the team with this id, with what `caller` is there.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, caller: Option<AccountId>, id: TeamId) -> StoreResult<Option<TeamRecord>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            team_columns!(),
            ", ",
            team_roles!(),
            " FROM teams t JOIN accounts a ON a.id = t.organization_id WHERE t.id = $2"
        ),
        params![caller, id],
    )
    .await
}

/// Returns the teams of an organization that `caller` may see, by name: owners see all, members those that are not
/// secret and their own.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    caller: Option<AccountId>,
    organization: AccountId,
    page: PageRequest,
) -> StoreResult<Page<TeamRecord>> {
    conn.fetch_page(
        sql!(
            "SELECT v.*, COUNT(*) OVER () AS total FROM (SELECT ",
            team_columns!(),
            ", ",
            team_roles!(),
            " FROM teams t JOIN accounts a ON a.id = t.organization_id WHERE t.organization_id = $2) v \
             WHERE v.organization_role = 'admin' \
             OR (v.organization_role = 'member' AND (v.privacy = 'closed' OR v.role IS NOT NULL)) \
             ORDER BY v.slug LIMIT $3 OFFSET $4"
        ),
        params![caller, organization],
        page,
    )
    .await
}

/// Returns the teams `member` is in, by organization and name.
///
/// # Errors
/// Only faults of the database.
pub async fn list_of_member(
    conn: &mut Conn,
    member: AccountId,
    page: PageRequest,
) -> StoreResult<Page<TeamRecord>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            team_columns!(),
            ", ",
            team_roles!(),
            ", COUNT(*) OVER () AS total FROM team_members u JOIN teams t ON t.id = u.team_id JOIN accounts a ON a.id = t.organization_id \
             WHERE u.member_id = $1 ORDER BY a.login_key, t.slug LIMIT $2 OFFSET $3"
        ),
        params![member],
        page,
    )
    .await
}

/// What a new team is made of.
#[derive(Clone, Debug)]
pub struct NewTeam<'a> {
    /// The organization.
    pub organization_id: AccountId,
    /// The organization's login.
    pub organization_login: &'a str,
    /// The display name.
    pub name: &'a str,
    /// The name in URLs.
    pub slug: &'a str,
    /// A sentence about it.
    pub description: Option<&'a str>,
    /// Who may see it.
    pub privacy: TeamPrivacy,
}

/// Inserts a team.
///
/// # Errors
/// `Duplicate` if the organization has a team of this slug.
pub async fn insert(tx: &mut Tx, new: &NewTeam<'_>, now: Timestamp) -> StoreResult<Team> {
    struct Id(TeamId);
    impl FromRow for Id {
        fn from_row(row: &Row<'_>) -> StoreResult<Self> {
            row.get("id").map(Self)
        }
    }
    let Id(id) = tx
        .fetch_one(
            sql!(
                "INSERT INTO teams (organization_id, name, slug, description, privacy, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id"
            ),
            params![new.organization_id, new.name, new.slug, new.description, new.privacy.as_str(), now],
        )
        .await?;
    Ok(Team {
        id,
        organization_id: new.organization_id,
        organization_login: new.organization_login.to_owned(),
        name: new.name.to_owned(),
        slug: new.slug.to_owned(),
        description: new.description.map(str::to_owned),
        privacy: new.privacy,
        created_at: now,
        updated_at: now,
    })
}

/// Writes name, slug, description and privacy.
///
/// # Errors
/// `Duplicate` if the organization has another team of this slug.
pub async fn update(tx: &mut Tx, team: &Team) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE teams SET name = $2, slug = $3, description = $4, privacy = $5, updated_at = $6 WHERE id = $1"
        ),
        params![
            team.id,
            team.name.as_str(),
            team.slug.as_str(),
            team.description.as_deref(),
            team.privacy.as_str(),
            team.updated_at
        ],
    )
    .await?;
    Ok(())
}

/// Deletes a team with its memberships and its access.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, id: TeamId) -> StoreResult<()> {
    tx.execute(sql!("DELETE FROM teams WHERE id = $1"), params![id]).await?;
    Ok(())
}
