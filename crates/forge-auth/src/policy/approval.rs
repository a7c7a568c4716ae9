//! What waits for a human each time. Asked last: nobody is asked to approve what would be refused anyway.

use forge_types::Action;

use super::{Denial, Resource, Subject, Verdict, grant};

/// Refuses what takes approval.
pub(super) fn check(subject: &Subject, action: Action, _: &Resource) -> Verdict {
    let credential = subject.principal().and_then(|principal| principal.credential());
    let grants = credential.map(|credential| credential.grants.as_slice()).unwrap_or_default();
    let Some(conveying) = grant::conveying(action) else { return Ok(()) };
    match grants.iter().find(|grant| grant.terms.constraints.requires_approval.contains(&conveying)) {
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
