//! What policies bind, and how grave it is.

use forge_types::Action;

/// Returns whether policies bind an action: everything that changes something, but for what takes rights away, what stops,
/// what the policies themselves are changed by, and deciding about what waits, where the thing itself is decided about. So nobody is locked out, and nobody is kept from ending what went wrong.
#[must_use]
pub const fn binds(action: Action) -> bool {
    !action.is_read() && !is_exempt(action)
}

const fn is_exempt(action: Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::SiteAdminister
            | A::CredentialRevoke
            | A::PublicKeyDelete
            | A::SigningKeyDelete
            | A::AgentSuspend
            | A::AgentRevoke
            | A::AgentUnbind
            | A::AgentInviteWithdraw
            | A::AgentUndoBinding
            | A::AgentSwitchEnd
            | A::TaskGrantRevoke
            | A::RevokeDelegated
            | A::KillSwitchSet
            | A::KillSwitchLift
            | A::SecondFactorManage
            | A::ApprovalDecide
            | A::ApprovalCancel
            | A::OrganizationManageOwnMembership
            | A::OrganizationManagePolicies
            | A::TeamLeave
            | A::CollaboratorLeave
    )
}

/// Returns how grave an action is: 1 ordinary, 2 changes how things are set up, 3 loses history or lets others in.
#[must_use]
pub const fn risk(action: Action) -> i64 {
    use Action as A;
    match action {
        A::RepositoryDelete
        | A::RepositoryTransfer
        | A::RepositoryAdminister
        | A::CollaboratorManage
        | A::BranchForceUpdate
        | A::BranchDelete
        | A::TagUpdate
        | A::TagDelete
        | A::OrganizationAdminister
        | A::OrganizationManageMembers
        | A::TeamManageMembers
        | A::TeamManageRepositories
        | A::CredentialCreate
        | A::PublicKeyCreate
        | A::ClientAuthorize
        | A::DeviceDecide
        | A::AgentKeyManage
        | A::AgentRuntimeManage
        | A::AgentRecover
        | A::AgentSwitch
        | A::AgentDelegate
        | A::AgentSwitchRenew
        | A::AgentInvite
        | A::TaskGrantCreate
        | A::TaskGrantUpdate => 3,
        A::RepositoryUpdate
        | A::TeamCreate
        | A::TeamUpdate
        | A::AgentUpdate
        | A::AgentRestore
        | A::AgentConfirm
        | A::TaskGrantConsent
        | A::TaskGrantClaim
        | A::OrganizationCreate
        | A::SigningKeyCreate
        | A::OtherRefUpdate => 2,
        _ => 1,
    }
}
