//! Teams and memberships of them.

use forge_service::organizations::OrganizationRecord;
use forge_service::teams::TeamRecord;
use forge_types::organization::{Team, TeamRole};
use forge_types::{NodeId, Permission, Timestamp};
use serde::Serialize;

use super::Links;
use super::organization::FullOrganization;

/// What GitHub's `team` and `team-full` have in common.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct TeamView {
    pub id: i64,
    pub node_id: NodeId,
    pub url: String,
    pub html_url: String,
    pub name: String,
    pub slug: String,
    pub description: Option<String>,
    pub privacy: &'static str,
    pub notification_setting: &'static str,
    pub permission: &'static str,
    pub members_url: String,
    pub repositories_url: String,
    pub parent: Option<()>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub organization_id: i64,
}

impl TeamView {
    /// Creates the view of a team; `permission` is what it has in the repository spoken of, if one is.
    #[must_use]
    pub fn new(links: &Links, team: &Team, permission: Option<Permission>) -> Self {
        let place = format!("orgs/{}/teams/{}", team.organization_login, team.slug);
        Self {
            id: team.id.0,
            node_id: NodeId::Team(team.id),
            url: links.api(&place),
            html_url: links.web(&place),
            name: team.name.clone(),
            slug: team.slug.clone(),
            description: team.description.clone(),
            privacy: team.privacy.as_str(),
            notification_setting: "notifications_enabled",
            permission: permission.unwrap_or(Permission::Read).api_name(),
            members_url: links.api(&format!("{place}/members{{/member}}")),
            repositories_url: links.api(&format!("{place}/repos")),
            parent: None,
            kind: "organization",
            organization_id: team.organization_id.0,
        }
    }
}

/// GitHub's `team-full`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct FullTeam {
    #[serde(flatten)]
    pub base: TeamView,
    pub members_count: i64,
    pub repos_count: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub organization: FullOrganization,
}

impl FullTeam {
    /// Creates the view of a team of `organization`.
    #[must_use]
    pub fn new(links: &Links, found: &TeamRecord, organization: &OrganizationRecord) -> Self {
        Self {
            base: TeamView::new(links, &found.team, None),
            members_count: found.members,
            repos_count: found.repositories,
            created_at: found.team.created_at,
            updated_at: found.team.updated_at,
            organization: FullOrganization::new(links, organization, false),
        }
    }
}

/// GitHub's `team-membership`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct TeamMembership {
    pub url: String,
    pub role: TeamRole,
    pub state: &'static str,
}

impl TeamMembership {
    /// Creates the view of the membership of `login`.
    #[must_use]
    pub fn new(links: &Links, team: &Team, login: &str, role: TeamRole) -> Self {
        let place = format!("orgs/{}/teams/{}/memberships/{login}", team.organization_login, team.slug);
        Self { url: links.api(&place), role, state: "active" }
    }
}
