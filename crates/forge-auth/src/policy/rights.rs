//! What a principal may do to a resource it can see, with a credential that is good for it.

use forge_types::account::AccountKind;
use forge_types::organization::{OrganizationRole, TeamRole};
use forge_types::repository::Visibility;
use forge_types::{Action, Permission};

use super::{
    AgentFacts, Denial, OrganizationFacts, Principal, ProfileFacts, RepositoryFacts, Resource, Subject,
    TaskGrantFacts, TeamFacts, Verdict, approval,
};

/// Refuses what nothing allows.
pub(super) fn check(subject: &Subject, action: Action, resource: &Resource) -> Verdict {
    match (subject, resource) {
        (_, Resource::Repository(repository)) => check_repository(subject, action, repository),
        (_, Resource::Ref(facts)) => check_repository(subject, action, &facts.repository),
        (_, Resource::Organization(_)) if action == Action::OrganizationRead => Ok(()),
        (_, Resource::Profile(profile)) => check_profile(subject, action, profile),
        (Subject::Anonymous, _) => Err(Denial::unauthenticated("rights.anonymous")),
        (Subject::Principal(principal), Resource::Site) => check_site(principal, action),
        (Subject::Principal(principal), Resource::Account { id }) => {
            if principal.id == *id && concerns_own_account(action) {
                return check_making(principal, action);
            }
            Err(Denial::forbidden("rights.account", "this is not your account"))
        }
        (Subject::Principal(principal), Resource::Agent(agent)) => check_agent(principal, action, agent),
        (Subject::Principal(_), Resource::Organization(organization)) => {
            check_organization(action, organization)
        }
        (Subject::Principal(principal), Resource::Team(team)) => {
            if outlasts(action) {
                check_lent(principal)?;
            }
            check_team(action, team)
        }
        (Subject::Principal(principal), Resource::Grant(grant)) => check_grant(principal, action, grant),
        (Subject::Principal(principal), Resource::Approval(facts)) => {
            approval::check_rights(principal, action, facts)
        }
        (Subject::Principal(_), Resource::KillSwitch(_)) if action == Action::KillSwitchLift => Ok(()),
        (Subject::Principal(_), Resource::KillSwitch(_)) => {
            Err(Denial::forbidden("rights.kill_switch", "this cannot be done to a kill switch"))
        }
    }
}

fn check_site(principal: &Principal, action: Action) -> Verdict {
    let is_site_action =
        matches!(action, Action::SiteAdminister | Action::SiteAuditRead | Action::KillSwitchSet);
    if is_site_action && principal.is_site_admin {
        return Ok(());
    }
    Err(Denial::forbidden("rights.site", "this is for site administrators"))
}

/// Addresses of people and agents are shown to those who say who they are, as on GitHub
/// (<https://docs.github.com/rest/users/users#get-a-user>); organizations write theirs for everyone.
fn check_profile(subject: &Subject, action: Action, profile: &ProfileFacts) -> Verdict {
    if action != Action::ProfileReadEmail {
        return Err(Denial::forbidden("rights.profile", "this cannot be done to a profile"));
    }
    match (profile.kind, subject) {
        (AccountKind::Organization, _) => Ok(()),
        (AccountKind::Human | AccountKind::Agent, Subject::Anonymous) => {
            Err(Denial::unauthenticated("rights.anonymous"))
        }
        (AccountKind::Human | AccountKind::Agent, Subject::Principal(_)) if profile.is_email_public => Ok(()),
        (AccountKind::Human | AccountKind::Agent, Subject::Principal(_)) => {
            Err(Denial::forbidden("rights.profile", "this account keeps its address to itself"))
        }
    }
}

/// What an agent makes while it uses somebody else's rights would be its own.
fn check_making(principal: &Principal, action: Action) -> Verdict {
    let makes = matches!(action, Action::RepositoryCreate | Action::RepositoryCreatePrivate);
    if makes && principal.rights_id() != principal.id {
        let message = "this agent acts with its human's rights, which make no repositories in its own name";
        return Err(Denial::forbidden("rights.delegated", message));
    }
    Ok(())
}

const fn concerns_own_account(action: Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::AccountReadPrivate
            | A::AccountUpdate
            | A::AccountReadEmail
            | A::AccountListOwn
            | A::AccountListTeams
            | A::AccountAuditRead
            | A::CredentialList
            | A::CredentialCreate
            | A::CredentialRevoke
            | A::PublicKeyRead
            | A::PublicKeyCreate
            | A::PublicKeyDelete
            | A::SigningKeyRead
            | A::SigningKeyCreate
            | A::SigningKeyDelete
            | A::SecondFactorManage
            | A::DeviceDecide
            | A::ClientAuthorize
            | A::AgentInvite
            | A::AgentInviteRead
            | A::AgentInviteWithdraw
            | A::AgentList
            | A::TaskGrantCreate
            | A::TaskGrantClaim
            | A::TaskGrantList
            | A::RevokeDelegated
            | A::KillSwitchSet
            | A::KillSwitchList
            | A::ApprovalList
            | A::OrganizationCreate
            | A::RepositoryCreate
            | A::RepositoryCreatePrivate
    )
}

fn check_agent(principal: &Principal, action: Action, agent: &AgentFacts) -> Verdict {
    let is_itself = principal.id == agent.id;
    let is_owner = agent.owner_id == Some(principal.id);
    let may = match action {
        Action::AgentRead | Action::AgentEvaluate => is_itself || is_owner || principal.is_site_admin,
        Action::AgentUpdate | Action::AgentRuntimeManage => is_owner || principal.is_site_admin,
        Action::AgentSuspend | Action::AgentRevoke | Action::KillSwitchSet => {
            is_owner || principal.is_site_admin
        }
        Action::AgentRestore => {
            let is_own_doing = agent.suspended_by.is_none_or(|by| by == principal.id);
            principal.is_site_admin || (is_owner && is_own_doing)
        }
        Action::AgentConfirm | Action::AgentSwitchRenew => is_itself,
        Action::AgentSwitchEnd => is_owner || (is_itself && principal.is_switched()),
        Action::AgentUndoBinding | Action::AgentKeyManage => is_itself || is_owner,
        Action::AgentUnbind | Action::AgentRecover | Action::AgentSwitch | Action::AgentDelegate => is_owner,
        _ => false,
    };
    if may {
        return Ok(());
    }
    let message = match action {
        Action::AgentRestore if is_owner => {
            "a site administrator suspended this agent; only one can restore it"
        }
        _ => "this takes the human the agent is bound to",
    };
    Err(Denial::forbidden("rights.agent", message))
}

fn check_grant(principal: &Principal, action: Action, grant: &TaskGrantFacts) -> Verdict {
    let is_agent = principal.id == grant.agent_id;
    let is_delegator = principal.id == grant.delegator_id || grant.owns_delegator;
    let may = match action {
        Action::TaskGrantRead => true,
        Action::TaskGrantUpdate => is_delegator,
        Action::TaskGrantRevoke => {
            is_delegator || is_agent || grant.agent_owner_id == Some(principal.id) || principal.is_site_admin
        }
        Action::KillSwitchSet => {
            is_delegator || grant.agent_owner_id == Some(principal.id) || principal.is_site_admin
        }
        Action::TaskGrantConsent => is_agent,
        _ => false,
    };
    if may {
        return Ok(());
    }
    Err(Denial::forbidden("rights.grant", "this takes whoever delegated"))
}

fn check_organization(action: Action, organization: &OrganizationFacts) -> Verdict {
    let role = organization.role;
    let may = match action {
        Action::OrganizationRead => true,
        Action::OrganizationReadMembers | Action::OrganizationManageOwnMembership => role.is_some(),
        Action::OrganizationCreateRepository => {
            role == Some(OrganizationRole::Admin)
                || (role.is_some() && organization.members_can_create_repositories)
        }
        Action::OrganizationAdminister
        | Action::OrganizationAuditRead
        | Action::OrganizationManageMembers
        | Action::TeamCreate
        | Action::OrganizationReadPolicies
        | Action::OrganizationManagePolicies
        | Action::KillSwitchSet => role == Some(OrganizationRole::Admin),
        _ => false,
    };
    if may {
        return Ok(());
    }
    let needed = if role.is_some() { "an owner" } else { "a member" };
    Err(Denial::forbidden("rights.organization", format!("this takes {needed} of the organization")))
}

fn check_team(action: Action, team: &TeamFacts) -> Verdict {
    let is_owner = team.organization_role == Some(OrganizationRole::Admin);
    let is_maintainer = team.role == Some(TeamRole::Maintainer);
    let may = match action {
        Action::TeamRead | Action::TeamLeave => true,
        Action::TeamUpdate | Action::TeamManageMembers | Action::TeamManageRepositories => {
            is_owner || is_maintainer
        }
        _ => false,
    };
    if may {
        return Ok(());
    }
    Err(Denial::forbidden(
        "rights.team",
        "this takes an owner of the organization or a maintainer of the team",
    ))
}

fn check_repository(subject: &Subject, action: Action, repository: &RepositoryFacts) -> Verdict {
    let Some(needed) = needed_permission(action) else {
        return Err(Denial::forbidden("rights.repository", "this cannot be done to a repository"));
    };
    if action == Action::RepositoryFork {
        return check_fork(subject, repository);
    }
    if needed == Permission::Read {
        return Ok(());
    }
    let Some(principal) = subject.principal() else {
        return Err(Denial::unauthenticated("rights.anonymous"));
    };
    if outlasts(action) {
        check_lent(principal)?;
    }
    if repository.permission >= Some(needed) {
        return Ok(());
    }
    let held = repository.permission.map_or("none", Permission::role_name);
    let message =
        format!("this takes `{}` permission on the repository; yours is `{held}`", needed.role_name());
    Err(Denial::forbidden("rights.repository", message))
}

/// Whoever may read it may fork it, unless not everyone may read it and those who administer it said no, as on GitHub
/// (<https://docs.github.com/pull-requests/collaborating-with-pull-requests/working-with-forks/about-permissions-and-visibility-of-forks>).
fn check_fork(subject: &Subject, repository: &RepositoryFacts) -> Verdict {
    if subject.principal().is_none() {
        return Err(Denial::unauthenticated("rights.anonymous"));
    }
    if repository.visibility == Visibility::Public || repository.allows_forking {
        return Ok(());
    }
    Err(Denial::forbidden("rights.fork", "the repository does not allow forks"))
}

/// Does this give somebody what stays when the rights it was done with are gone?
const fn outlasts(action: Action) -> bool {
    matches!(
        action,
        Action::RepositoryTransfer
            | Action::CollaboratorManage
            | Action::TeamManageMembers
            | Action::TeamManageRepositories
    )
}

/// An agent that uses its human's rights lets nobody have them for longer, itself least of all.
fn check_lent(principal: &Principal) -> Verdict {
    let has_grant = principal.credential().is_some_and(|credential| !credential.grants.is_empty());
    if has_grant || principal.rights_id() == principal.id {
        return Ok(());
    }
    let message = "this agent acts with its human's rights; who has access to what is for the human to say";
    Err(Denial::forbidden("rights.delegated", message))
}

/// Returns the permission an action on a repository takes; `None` if it is no such action.
pub(super) const fn needed_permission(action: Action) -> Option<Permission> {
    use Action as A;
    Some(match action {
        A::RepositoryRead | A::RepositoryFork | A::CodeRead => Permission::Read,
        A::CollaboratorLeave => Permission::Read,
        A::LabelManage
        | A::CollaboratorRead
        | A::CodePush
        | A::BranchCreate
        | A::BranchUpdate
        | A::BranchForceUpdate
        | A::BranchDelete
        | A::TagCreate
        | A::TagUpdate
        | A::TagDelete
        | A::OtherRefUpdate => Permission::Write,
        A::RepositoryUpdate => Permission::Maintain,
        A::RepositoryAdminister | A::RepositoryTransfer | A::RepositoryDelete | A::CollaboratorManage => {
            Permission::Admin
        }
        _ => return None,
    })
}
