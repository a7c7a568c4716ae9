//! What a token was limited to. GitHub's scopes and meanings only.

use forge_types::repository::Visibility;
use forge_types::{Action, Scope};

use super::{Denial, RefFacts, Resource, Subject, Verdict};

/// Refuses what the token's scopes do not cover.
pub(super) fn check(subject: &Subject, action: Action, resource: &Resource) -> Verdict {
    let Some(scopes) = subject
        .principal()
        .and_then(|principal| principal.credential())
        .and_then(|credential| credential.scopes.as_ref())
    else {
        return Ok(());
    };
    let sufficient = sufficient(action, resource);
    if sufficient.is_empty() || sufficient.iter().any(|scope| scopes.contains(*scope)) {
        return Ok(());
    }
    Err(Denial::missing_scope(sufficient))
}

/// Returns the scopes of which one is enough; none when any token will do.
fn sufficient(action: Action, resource: &Resource) -> &'static [Scope] {
    use Action as A;
    match action {
        A::SiteAdminister | A::SiteAuditRead => &[Scope::SiteAdmin],
        A::AccountReadPrivate
        | A::AccountListOwn
        | A::ProfileReadEmail
        | A::CredentialList
        | A::CredentialCreate
        | A::CredentialRevoke
        | A::SecondFactorManage
        | A::DeviceDecide
        | A::ClientAuthorize
        | A::AgentRead
        | A::AgentEvaluate
        | A::AgentConfirm
        | A::TaskGrantConsent
        | A::TaskGrantClaim
        | A::AgentSwitchRenew
        | A::AgentSwitchEnd
        | A::OrganizationRead
        | A::RepositoryRead
        | A::CodeRead => &[],
        A::KillSwitchSet if matches!(resource, Resource::Site) => &[Scope::SiteAdmin],
        A::KillSwitchSet if matches!(resource, Resource::Organization(_)) => &[Scope::AdminOrg],
        A::KillSwitchSet => &[Scope::Repo],
        A::AccountUpdate => &[Scope::User],
        A::AccountReadEmail => &[Scope::UserEmail],
        A::PublicKeyRead => &[Scope::ReadPublicKey],
        A::PublicKeyCreate => &[Scope::WritePublicKey],
        A::PublicKeyDelete => &[Scope::AdminPublicKey],
        A::SigningKeyRead => &[Scope::ReadSshSigningKey],
        A::SigningKeyCreate => &[Scope::WriteSshSigningKey],
        A::SigningKeyDelete => &[Scope::AdminSshSigningKey],
        A::AgentUpdate
        | A::ApprovalList
        | A::ApprovalRead
        | A::ApprovalDecide
        | A::ApprovalCancel
        | A::AgentSuspend
        | A::AgentRestore
        | A::AccountAuditRead
        | A::AgentInvite
        | A::AgentInviteRead
        | A::AgentInviteWithdraw
        | A::AgentList
        | A::AgentKeyManage
        | A::AgentRuntimeManage
        | A::AgentUnbind
        | A::AgentUndoBinding
        | A::AgentRecover
        | A::AgentSwitch
        | A::AgentDelegate
        | A::TaskGrantCreate
        | A::TaskGrantList
        | A::TaskGrantRead
        | A::TaskGrantUpdate
        | A::TaskGrantRevoke
        | A::AgentRevoke
        | A::RevokeDelegated
        | A::KillSwitchList
        | A::KillSwitchLift => &[Scope::Repo],
        A::AccountListTeams | A::OrganizationReadMembers | A::TeamRead => &[Scope::ReadOrg, Scope::Repo],
        A::OrganizationReadPolicies => &[Scope::ReadOrg],
        A::OrganizationAuditRead => &[Scope::ReadAuditLog, Scope::AdminOrg],
        A::OrganizationCreate | A::OrganizationAdminister | A::OrganizationManagePolicies => {
            &[Scope::AdminOrg]
        }
        A::OrganizationManageMembers
        | A::OrganizationManageOwnMembership
        | A::TeamLeave
        | A::TeamCreate
        | A::TeamUpdate
        | A::TeamManageMembers
        | A::TeamManageRepositories => &[Scope::WriteOrg],
        A::RepositoryCreate | A::OrganizationCreateRepository => &[Scope::PublicRepo],
        A::RepositoryCreatePrivate => &[Scope::Repo],
        A::RepositoryDelete => &[Scope::DeleteRepo],
        A::CollaboratorRead
        | A::RepositoryFork
        | A::RepositoryUpdate
        | A::RepositoryAdminister
        | A::RepositoryTransfer
        | A::CollaboratorManage
        | A::CollaboratorLeave
        | A::LabelManage
        | A::CodePush
        | A::BranchCreate
        | A::BranchUpdate
        | A::BranchForceUpdate
        | A::BranchDelete
        | A::TagCreate
        | A::TagUpdate
        | A::TagDelete
        | A::OtherRefUpdate => for_repository(resource),
    }
}

const fn for_repository(resource: &Resource) -> &'static [Scope] {
    match resource {
        Resource::Repository(repository) | Resource::Ref(RefFacts { repository, .. })
            if matches!(repository.visibility, Visibility::Public) =>
        {
            &[Scope::PublicRepo]
        }
        _ => &[Scope::Repo],
    }
}
