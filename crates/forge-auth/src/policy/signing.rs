//! Who changes refs by signed pushes only, and what a signature that is not to be believed is worth.
//!
//! INVARIANT: what claims to be signed and is not never counts as unsigned: it is refused, whoever pushes.

use forge_types::Action;

use super::subject::Principal;
use super::{Denial, Resource, Signing, Verdict};

/// Refuses changes of refs that are not signed as they should be, and keys by which whoever has the token alone could sign.
pub(super) fn check(principal: &Principal, action: Action, resource: &Resource) -> Verdict {
    let signed_only = principal.credential().is_some_and(|credential| credential.signed_only);
    // What is carried out because a human approved was looked at when it was asked for.
    let is_carried_out = principal.credential().is_some_and(|credential| credential.is_approved);
    if signed_only && action == Action::SigningKeyCreate {
        let message = "this agent's pushes must be signed: it can add a key only while its human lifts that";
        return Err(Denial::forbidden("signing.key", message));
    }
    let Resource::Ref(facts) = resource else { return Ok(()) };
    match &facts.signing {
        Signing::Refused(reason) => Err(Denial::forbidden("signing.refused", reason.as_str())),
        Signing::Unsigned if signed_only && !is_carried_out && !action.is_read() => Err(Denial::forbidden(
            "signing.unsigned",
            "this agent's pushes must be signed, please use `git push --signed`",
        )),
        Signing::Unsigned | Signing::Signed => Ok(()),
    }
}
