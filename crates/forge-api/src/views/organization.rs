//! Organizations and memberships of them.

use forge_service::organizations::OrganizationRecord;
use forge_types::account::{Account, AccountRef};
use forge_types::organization::OrganizationRole;
use forge_types::{NodeId, Permission, Timestamp};
use serde::Serialize;

use super::account::SimpleUser;
use super::{LinkTable, Links};

const LINKS: &[(&str, &str)] = &[
    ("url", ""),
    ("repos_url", "/repos"),
    ("events_url", "/events"),
    ("hooks_url", "/hooks"),
    ("issues_url", "/issues"),
    ("members_url", "/members{/member}"),
    ("public_members_url", "/public_members{/member}"),
];

/// GitHub's `organization-simple`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct SimpleOrganization {
    pub login: String,
    pub id: i64,
    pub node_id: NodeId,
    #[serde(flatten)]
    pub links: LinkTable,
    pub avatar_url: String,
    pub description: Option<String>,
}

impl SimpleOrganization {
    /// Creates the view of an organization.
    #[must_use]
    pub fn new(links: &Links, account: &Account) -> Self {
        Self {
            login: account.login.clone(),
            id: account.id.0,
            node_id: NodeId::Organization(account.id),
            links: LinkTable::new(links.api(&format!("orgs/{}", account.login)), LINKS),
            avatar_url: links.web(&format!("avatars/{}", account.id)),
            description: account.description.clone(),
        }
    }
}

/// What an organization shows its owners.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct OwnersView {
    pub total_private_repos: i64,
    pub owned_private_repos: i64,
    pub private_gists: i64,
    pub disk_usage: i64,
    pub collaborators: i64,
    pub default_repository_permission: &'static str,
    pub members_can_create_repositories: bool,
    pub members_allowed_repository_creation_type: &'static str,
    pub members_can_create_public_repositories: bool,
    pub members_can_create_private_repositories: bool,
    pub members_can_create_internal_repositories: bool,
    pub two_factor_requirement_enabled: bool,
}

/// GitHub's `organization-full`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct FullOrganization {
    #[serde(flatten)]
    pub base: SimpleOrganization,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub is_verified: bool,
    pub has_organization_projects: bool,
    pub has_repository_projects: bool,
    pub public_repos: i64,
    pub public_gists: i64,
    pub followers: i64,
    pub following: i64,
    pub html_url: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub archived_at: Option<Timestamp>,
    #[serde(flatten)]
    pub for_owners: Option<OwnersView>,
}

impl FullOrganization {
    /// Creates the view of an organization; `is_owner` says whether to show what only owners see.
    #[must_use]
    pub fn new(links: &Links, found: &OrganizationRecord, is_owner: bool) -> Self {
        let account = &found.organization.account;
        Self {
            base: SimpleOrganization::new(links, account),
            name: account.name.clone(),
            email: account.email.clone(),
            is_verified: false,
            has_organization_projects: false,
            has_repository_projects: false,
            public_repos: found.public_repositories,
            public_gists: 0,
            followers: 0,
            following: 0,
            html_url: links.web(&account.login),
            kind: "Organization",
            created_at: account.created_at,
            updated_at: account.updated_at,
            archived_at: None,
            for_owners: is_owner.then(|| owners_view(found)),
        }
    }
}

fn owners_view(found: &OrganizationRecord) -> OwnersView {
    let may_create = found.organization.members_can_create_repositories;
    OwnersView {
        total_private_repos: found.private_repositories,
        owned_private_repos: found.private_repositories,
        private_gists: 0,
        disk_usage: found.size_bytes / 1024,
        collaborators: 0,
        default_repository_permission: found
            .organization
            .default_permission
            .map_or("none", Permission::role_name),
        members_can_create_repositories: may_create,
        members_allowed_repository_creation_type: if may_create { "all" } else { "none" },
        members_can_create_public_repositories: may_create,
        members_can_create_private_repositories: may_create,
        members_can_create_internal_repositories: may_create,
        two_factor_requirement_enabled: false,
    }
}

/// GitHub's `org-membership`. A membership is active at once: nobody is invited first.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct OrganizationMembership {
    pub url: String,
    pub state: &'static str,
    pub role: OrganizationRole,
    pub organization_url: String,
    pub organization: SimpleOrganization,
    pub user: SimpleUser,
}

impl OrganizationMembership {
    /// Creates the view of the membership of `member`.
    #[must_use]
    pub fn new(links: &Links, organization: &Account, member: &AccountRef, role: OrganizationRole) -> Self {
        let place = format!("orgs/{}", organization.login);
        Self {
            url: links.api(&format!("{place}/memberships/{}", member.login)),
            state: "active",
            role,
            organization_url: links.api(&place),
            organization: SimpleOrganization::new(links, organization),
            user: SimpleUser::new(links, member),
        }
    }
}
