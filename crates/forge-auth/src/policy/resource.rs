//! What is asked about: facts, gathered by whoever loaded the object.

use std::sync::Arc;

use forge_types::Permission;
use forge_types::RefName;
use forge_types::account::AccountKind;
use forge_types::id::{AccountId, GrantId, RepositoryId, TeamId};
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
    /// A change of one ref of a repository.
    Ref(RefFacts),
    /// A task grant.
    Grant(TaskGrantFacts),
    /// A kill switch.
    KillSwitch(KillSwitchFacts),
    /// Something that waits, or waited, for a human.
    Approval(ApprovalFacts),
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
    /// The team.
    pub id: TeamId,
    /// Whose it is.
    pub organization_id: AccountId,
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
    /// The repository.
    pub id: RepositoryId,
    /// Who owns it.
    pub owner_id: AccountId,
    /// What the owner is.
    pub owner_kind: AccountKind,
    /// What it is called, `owner/name`.
    pub full_name: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether it is read-only.
    pub is_archived: bool,
    /// Whether those who read it may fork it while not everyone reads it.
    pub allows_forking: bool,
    /// The subject's permission from ownership, organization, teams and collaboration.
    pub permission: Option<Permission>,
}

/// What decides about a change of a ref.
#[derive(Clone, Debug)]
pub struct RefFacts {
    /// The repository.
    pub repository: RepositoryFacts,
    /// The ref.
    pub name: RefName,
    /// Whether it is the default branch.
    pub is_default: bool,
    /// Which files the new commits touch.
    pub touched: Touched,
    /// Whether the change came signed.
    pub signing: Signing,
}

/// Whether a change of refs was signed by whoever makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signing {
    /// It was not.
    #[default]
    Unsigned,
    /// It was, with a key that is on record for just that.
    Signed,
    /// It claims to be, and is not to be believed, for this reason.
    Refused(String),
}

/// Which files the commits that a ref change brings touch: those that differ from every parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Nobody looked, or there are too many to tell.
    Unknown,
    /// These.
    Paths(Arc<[Vec<u8>]>),
}

impl Touched {
    /// Returns that nothing is touched.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Paths(Arc::new([]))
    }
}

/// What decides about a kill switch.
#[derive(Clone, Copy, Debug)]
pub struct KillSwitchFacts {
    /// Who set it.
    pub set_by: AccountId,
}

/// What decides about something that waits for a human.
#[derive(Clone, Debug)]
pub struct ApprovalFacts {
    /// Who asked.
    pub requester_id: AccountId,
    /// The human whom the agent that asked is bound to.
    pub requester_owner_id: Option<AccountId>,
    /// The human who asked as the agent, if one did.
    pub acting_id: Option<AccountId>,
    /// Who delegated what it is asked under.
    pub delegators: Vec<AccountId>,
    /// The grant it was asked under.
    pub grant_id: Option<GrantId>,
    /// What the caller may do in the repository it is about.
    pub permission: Option<Permission>,
    /// Must somebody else than who delegated decide?
    pub separates_delegator: bool,
}

/// What decides about a task grant.
#[derive(Clone, Debug)]
pub struct TaskGrantFacts {
    /// The grant.
    pub id: GrantId,
    /// The agent it is for.
    pub agent_id: AccountId,
    /// The human that agent is bound to.
    pub agent_owner_id: Option<AccountId>,
    /// Who delegated.
    pub delegator_id: AccountId,
    /// Whether the subject is an owner of the organization that delegated.
    pub owns_delegator: bool,
}
