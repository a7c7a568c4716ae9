//! Everything anyone can ask to do. Each use case names one action; only `forge-auth` says who may.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An action on a resource.
///
/// The use case names the action, never the edge, a header or a query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    // The forge as a whole
    /// Create humans, agents and organizations; read everybody's state; suspend accounts.
    SiteAdminister,
    /// Read the audit log of the whole forge.
    SiteAuditRead,

    // One's own account
    /// Read one's own private profile.
    AccountReadPrivate,
    /// Change one's own profile.
    AccountUpdate,
    /// Read one's own e-mail addresses.
    AccountReadEmail,
    /// Read the address that a profile shows.
    ProfileReadEmail,
    /// List the repositories, organizations and memberships one has.
    AccountListOwn,
    /// List the teams one is in.
    AccountListTeams,
    /// Read what the audit log says of oneself and one's agents.
    AccountAuditRead,
    /// List one's own credentials, never their values.
    CredentialList,
    /// Create a credential for oneself.
    CredentialCreate,
    /// Revoke one of one's own credentials.
    CredentialRevoke,
    /// Read one's own authentication keys.
    PublicKeyRead,
    /// Add an authentication key.
    PublicKeyCreate,
    /// Remove an authentication key.
    PublicKeyDelete,
    /// Read one's own signing keys.
    SigningKeyRead,
    /// Add a signing key.
    SigningKeyCreate,
    /// Remove a signing key.
    SigningKeyDelete,
    /// Set up or take away what signing in takes beside the password.
    SecondFactorManage,
    /// Decide a device code: approve or reject it.
    DeviceDecide,
    /// Grant an OAuth client access to one's account.
    ClientAuthorize,

    // Agents
    /// List one's own agents with what each may reach.
    AgentList,
    /// Read an agent's state: owner, status, last use.
    AgentRead,
    /// Ask what an agent may do, and why.
    AgentEvaluate,
    /// Change an agent's description or display name.
    AgentUpdate,
    /// Suspend an agent.
    AgentSuspend,
    /// Restore a suspended agent.
    AgentRestore,
    /// Create and withdraw invitations.
    AgentInvite,
    /// List one's own invitations.
    AgentInviteRead,
    /// Withdraw an invitation.
    AgentInviteWithdraw,
    /// Accept an invitation, as the agent.
    AgentConfirm,
    /// Add and withdraw an agent's keys.
    AgentKeyManage,
    /// Say which workloads open sessions of an agent.
    AgentRuntimeManage,
    /// End the binding of an agent.
    AgentUnbind,
    /// Undo a fresh binding with all it gave, from either side.
    AgentUndoBinding,
    /// Replace an agent's credentials (recovery).
    AgentRecover,
    /// Act as the agent for a short while.
    AgentSwitch,
    /// Change with whose rights an agent's own credentials act.
    AgentDelegate,
    /// Renew the switch session in use.
    AgentSwitchRenew,
    /// End switch sessions: one's own, or those of an agent of one's own.
    AgentSwitchEnd,

    // Task grants
    /// Let an agent do something for a task.
    TaskGrantCreate,
    /// List the grants one is part of.
    TaskGrantList,
    /// Read a grant and what was done under it.
    TaskGrantRead,
    /// Narrow or extend a grant.
    TaskGrantUpdate,
    /// End a grant.
    TaskGrantRevoke,
    /// Agree to a grant, as the agent it is for.
    TaskGrantConsent,
    /// Take a task by a policy of an organization.
    TaskGrantClaim,

    // Stopping
    /// Revoke everything an agent holds.
    AgentRevoke,
    /// Revoke what one delegated oneself.
    RevokeDelegated,
    /// Set a kill switch.
    KillSwitchSet,
    /// List the kill switches one set.
    KillSwitchList,
    /// Lift a kill switch.
    KillSwitchLift,

    // Approvals
    /// List what waits for a human.
    ApprovalList,
    /// See what waits, and what became of it.
    ApprovalRead,
    /// Approve or deny.
    ApprovalDecide,
    /// Take back what one asked for.
    ApprovalCancel,

    // Organizations and teams
    /// Create an organization.
    OrganizationCreate,
    /// See that the organization exists and its public face.
    OrganizationRead,
    /// See members, teams and settings that only members see.
    OrganizationReadMembers,
    /// Change the organization's settings.
    OrganizationAdminister,
    /// Read an organization's part of the audit log.
    OrganizationAuditRead,
    /// See the organization's policies, and what others would change.
    OrganizationReadPolicies,
    /// Add and remove policies of the organization.
    OrganizationManagePolicies,
    /// Add, change and remove members.
    OrganizationManageMembers,
    /// Leave the organization; show or hide that one belongs to it.
    OrganizationManageOwnMembership,
    /// Create a repository in the organization.
    OrganizationCreateRepository,
    /// Create a team.
    TeamCreate,
    /// See a team.
    TeamRead,
    /// Change or delete a team.
    TeamUpdate,
    /// Add and remove members of a team.
    TeamManageMembers,
    /// Leave a team.
    TeamLeave,
    /// Give a team access to a repository, or take it away; also needs `RepositoryAdminister` there.
    TeamManageRepositories,

    // Repositories
    /// Create a repository of one's own.
    RepositoryCreate,
    /// Create a repository that not everyone may see, wherever one may create repositories.
    RepositoryCreatePrivate,
    /// Read the repository: settings, code, labels.
    RepositoryRead,
    /// Make a repository of one's own, or of an organization, that begins as this one is.
    RepositoryFork,
    /// Change description, home page, topics and feature switches.
    RepositoryUpdate,
    /// Change name, visibility, default branch, archive state, collaborators.
    RepositoryAdminister,
    /// Give the repository to another owner.
    RepositoryTransfer,
    /// Delete the repository.
    RepositoryDelete,
    /// List collaborators and their permissions.
    CollaboratorRead,
    /// Add and remove collaborators.
    CollaboratorManage,
    /// Give up one's own access.
    CollaboratorLeave,
    /// Create, edit and delete labels.
    LabelManage,

    // Git
    /// Clone and fetch.
    CodeRead,
    /// Open a push; each ref change is decided again by the ref gate.
    CodePush,
    /// Create a branch.
    BranchCreate,
    /// Move a branch forward.
    BranchUpdate,
    /// Move a branch to something that does not contain its present tip.
    BranchForceUpdate,
    /// Delete a branch.
    BranchDelete,
    /// Create a tag.
    TagCreate,
    /// Move a tag.
    TagUpdate,
    /// Delete a tag.
    TagDelete,
    /// Change a ref that is neither branch nor tag.
    OtherRefUpdate,
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Self::ALL.iter().find(|action| action.as_str() == name).copied();
        found.ok_or_else(|| serde::de::Error::custom(format_args!("`{name}` is no action")))
    }
}

macro_rules! action_names {
    ($($variant:ident = $name:literal),* $(,)?) => {
        impl Action {
            /// All actions.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name in audit entries, reasons and policies.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

action_names! {
    SiteAdminister = "site.administer", SiteAuditRead = "site.audit.read",
    AccountReadPrivate = "account.read_private", AccountUpdate = "account.update",
    AccountReadEmail = "account.read_email", ProfileReadEmail = "profile.read_email", AccountListOwn = "account.list_own",
    AccountListTeams = "account.list_teams",
    AccountAuditRead = "account.audit.read",
    CredentialList = "credential.list", CredentialCreate = "credential.create", CredentialRevoke = "credential.revoke",
    PublicKeyRead = "public_key.read", PublicKeyCreate = "public_key.create", PublicKeyDelete = "public_key.delete",
    SigningKeyRead = "signing_key.read", SigningKeyCreate = "signing_key.create",
    SigningKeyDelete = "signing_key.delete", SecondFactorManage = "second_factor.manage",
    DeviceDecide = "device.decide", ClientAuthorize = "client.authorize",
    AgentList = "agent.list", AgentRead = "agent.read", AgentEvaluate = "agent.evaluate", AgentUpdate = "agent.update", AgentSuspend = "agent.suspend",
    AgentRestore = "agent.restore",
    AgentInvite = "agent.invite", AgentInviteRead = "agent.invite.read", AgentInviteWithdraw = "agent.invite.withdraw", AgentConfirm = "agent.confirm", AgentKeyManage = "agent.key.manage",
    AgentRuntimeManage = "agent.runtime.manage",
    AgentUnbind = "agent.unbind",
    AgentUndoBinding = "agent.undo_binding",
    AgentRecover = "agent.recover", AgentSwitch = "agent.switch", AgentDelegate = "agent.delegate", AgentSwitchRenew = "agent.switch_renew",
    AgentSwitchEnd = "agent.switch_end",
    TaskGrantCreate = "task_grant.create", TaskGrantList = "task_grant.list", TaskGrantRead = "task_grant.read",
    TaskGrantUpdate = "task_grant.update", TaskGrantRevoke = "task_grant.revoke",
    TaskGrantConsent = "task_grant.consent", TaskGrantClaim = "task_grant.claim",
    AgentRevoke = "agent.revoke", RevokeDelegated = "delegated.revoke",
    KillSwitchSet = "kill_switch.set", KillSwitchList = "kill_switch.list", KillSwitchLift = "kill_switch.lift",
    ApprovalList = "approval.list", ApprovalRead = "approval.read", ApprovalDecide = "approval.decide",
    ApprovalCancel = "approval.cancel",
    OrganizationCreate = "organization.create", OrganizationRead = "organization.read",
    OrganizationReadMembers = "organization.read_members", OrganizationAdminister = "organization.administer", OrganizationAuditRead = "organization.audit.read",
    OrganizationReadPolicies = "organization.policy.read", OrganizationManagePolicies = "organization.policy.manage",
    OrganizationManageMembers = "organization.manage_members",
    OrganizationManageOwnMembership = "organization.manage_own_membership",
    OrganizationCreateRepository = "organization.create_repository",
    TeamCreate = "team.create", TeamRead = "team.read", TeamUpdate = "team.update",
    TeamManageMembers = "team.manage_members", TeamLeave = "team.leave", TeamManageRepositories = "team.manage_repositories",
    RepositoryCreate = "repository.create", RepositoryCreatePrivate = "repository.create_private",
    RepositoryRead = "repository.read", RepositoryFork = "repository.fork", RepositoryUpdate = "repository.update",
    RepositoryAdminister = "repository.administer", RepositoryTransfer = "repository.transfer",
    RepositoryDelete = "repository.delete", CollaboratorRead = "collaborator.read",
    CollaboratorManage = "collaborator.manage", CollaboratorLeave = "collaborator.leave", LabelManage = "label.manage",
    CodeRead = "code.read", CodePush = "code.push", BranchCreate = "branch.create", BranchUpdate = "branch.update",
    BranchForceUpdate = "branch.force_update", BranchDelete = "branch.delete", TagCreate = "tag.create",
    TagUpdate = "tag.update", TagDelete = "tag.delete", OtherRefUpdate = "ref.update",
}

impl Action {
    /// Returns whether the action changes nothing. Refusals of the others are audited.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::SiteAuditRead
                | Self::AccountReadPrivate
                | Self::AccountReadEmail
                | Self::ProfileReadEmail
                | Self::AccountListOwn
                | Self::AccountListTeams
                | Self::AccountAuditRead
                | Self::CredentialList
                | Self::PublicKeyRead
                | Self::SigningKeyRead
                | Self::AgentList
                | Self::AgentRead
                | Self::AgentInviteRead
                | Self::AgentEvaluate
                | Self::TaskGrantList
                | Self::TaskGrantRead
                | Self::KillSwitchList
                | Self::ApprovalList
                | Self::ApprovalRead
                | Self::OrganizationRead
                | Self::OrganizationReadMembers
                | Self::OrganizationReadPolicies
                | Self::OrganizationAuditRead
                | Self::TeamRead
                | Self::RepositoryRead
                | Self::CollaboratorRead
                | Self::CodeRead
        )
    }
}
