//! What waits for a human each time, and who that human can be.
//!
//! The layer is asked last: nobody is asked to approve what would be refused anyway.

use forge_types::{Action, Permission};

use super::{ApprovalFacts, Denial, Means, Presence, Principal, Resource, Subject, Verdict, grant};

/// Refuses what takes approval, unless a human has approved just this.
pub(super) fn check(subject: &Subject, action: Action, _: &Resource) -> Verdict {
    let Some(credential) = subject.principal().and_then(Principal::credential) else { return Ok(()) };
    if credential.is_approved {
        return Ok(());
    }
    let Some(conveying) = grant::conveying(action) else { return Ok(()) };
    let asks =
        credential.grants.iter().find(|grant| grant.terms.constraints.requires_approval.contains(&conveying));
    match asks {
        None => Ok(()),
        Some(grant) => {
            let reason = format!("`{conveying}` takes a human's approval");
            let mut denial =
                Denial::approval("approval.grant", format!("{reason}; grant {} says so", grant.id));
            denial.grant = Some(grant.id.clone());
            Err(denial)
        }
    }
}

/// A decision is a person's, who sits in front of a browser now: whatever holds a token, or a session that was left open,
/// could be the agent itself.
pub(super) fn check_presence(means: &Means) -> Verdict {
    match means {
        Means::Browser { presence: Presence::Confirmed, .. } => Ok(()),
        Means::Browser { .. } => Err(Denial::forbidden(
            "subject.unconfirmed",
            "sign in again to confirm that it is you: deciding takes a password entered within five minutes",
        )),
        Means::Credential(_) | Means::Host | Means::Console | Means::Deferred => Err(Denial::forbidden(
            "subject.approval_browser",
            "approving and denying are done by a person in a browser, on the approval's page, never with a token",
        )),
    }
}

/// Refuses what the principal may not do to something that waits. That whoever approves could do the thing itself is
/// decided about the thing.
pub(super) fn check_rights(principal: &Principal, action: Action, approval: &ApprovalFacts) -> Verdict {
    let is_requester = principal.id == approval.requester_id;
    // Whoever asked as the agent has asked.
    let has_asked = is_requester || approval.acting_id == Some(principal.id);
    match action {
        Action::ApprovalRead => Ok(()),
        Action::ApprovalCancel if is_requester || approval.requester_owner_id == Some(principal.id) => Ok(()),
        Action::ApprovalDecide if has_asked => {
            Err(Denial::forbidden("rights.approval_own", "nobody approves what they asked for themselves"))
        }
        Action::ApprovalDecide
            if approval.separates_delegator && approval.delegators.contains(&principal.id) =>
        {
            let message = "on this forge somebody else than who delegated has to decide";
            Err(Denial::forbidden("rights.approval_delegator", message))
        }
        Action::ApprovalDecide if approval.permission >= Some(Permission::Write) => Ok(()),
        Action::ApprovalDecide => {
            let message =
                "this takes somebody who could do it without asking: `write` permission on the repository";
            Err(Denial::forbidden("rights.approval", message))
        }
        _ => Err(Denial::forbidden("rights.approval", "this takes whoever asked, or the agent's human")),
    }
}
