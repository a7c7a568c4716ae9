//! What is asked about: facts, gathered by whoever loaded the object.

use forge_types::Permission;
use forge_types::account::AccountKind;
use forge_types::id::AccountId;
use forge_types::organization::{OrganizationRole, TeamPrivacy, TeamRole};
use forge_types::repository::Visibility;

/// A resource, with the facts that decide.
#[derive(Clone, Debug)]
pub enum Resource {
    /// The forge as a whole.
    Site,
    /// An account and what belongs to it: profile, credentials, keys.
    Account {
        /// Whose.
        id: AccountId,
    },
    /// What a profile shows of an account to others.
    Profile(ProfileFacts),
    /// An agent.
    Agent(AgentFacts),
    /// An organization.
    Organization(OrganizationFacts),
    /// A team.
    Team(TeamFacts),
    /// A repository and everything in it.
    Repository(RepositoryFacts),
}

/// What decides about a profile.
#[derive(Clone, Debug)]
pub struct ProfileFacts {
    /// What the account is.
    pub kind: AccountKind,
    /// Whether the account shows its address.
    pub is_email_public: bool,
}

/// What decides about an agent.
#[derive(Clone, Debug)]
pub struct AgentFacts {
    /// The agent.
    pub id: AccountId,
    /// The human it is bound to.
    pub owner_id: Option<AccountId>,
    /// Who suspended it, when it is suspended.
    pub suspended_by: Option<AccountId>,
    /// Whether the forge lets its human recover it only from a browser, confirmed to be present.
    pub recovery_takes_presence: bool,
}

/// What decides about an organization.
#[derive(Clone, Debug)]
pub struct OrganizationFacts {
    /// The organization.
    pub id: AccountId,
    /// What the subject is in it.
    pub role: Option<OrganizationRole>,
    /// Whether members who are not owners may create repositories.
    pub members_can_create_repositories: bool,
}

/// What decides about a team.
#[derive(Clone, Debug)]
pub struct TeamFacts {
    /// Who may see it.
    pub privacy: TeamPrivacy,
    /// What the subject is in the organization.
    pub organization_role: Option<OrganizationRole>,
    /// What the subject is in the team.
    pub role: Option<TeamRole>,
}

/// What decides about a repository.
#[derive(Clone, Debug)]
pub struct RepositoryFacts {
    /// Who owns it.
    pub owner_id: AccountId,
    /// What the owner is.
    pub owner_kind: AccountKind,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether it is read-only.
    pub is_archived: bool,
    /// The subject's permission from ownership, organization, teams and collaboration.
    pub permission: Option<Permission>,
}
