//! The one decision: may this subject do that to this resource?
//!
//! Token scopes, kinds of credential, standing access, ownership, membership and visibility are inputs of one
//! decision, never checks elsewhere. A rule that refuses wins over all that allow; what no rule allows is refused.
//!
//! The rules are asked in this order, and the first refusal is the answer:
//! 1. `visibility`: what the subject may not even read does not exist for it.
//! 2. `stop`: what a kill switch has stopped.
//! 3. `subject`: what this kind of principal or credential can never do.
//! 4. `scope`: what the credential was limited to.
//! 5. `grant`: what the grant behind a task token conveys.
//! 6. `rights`: what the principal, or whoever it acts for, may do to this resource.
//! 7. `approval`: what waits for a human each time.

mod approval;
mod grant;
mod resource;
mod rights;
mod scope;
mod signing;
mod stop;
mod subject;
mod visibility;

pub use grant::{GrantFacts, conveying};
pub use resource::{
    AgentFacts, ApprovalFacts, KillSwitchFacts, OrganizationFacts, ProfileFacts, RefFacts, RepositoryFacts,
    Resource, Signing, TaskGrantFacts, TeamFacts, Touched,
};
pub use stop::{message as stop_message, stopping};
pub use subject::{CredentialFacts, Means, Presence, Principal, Subject};
pub use visibility::visible_repositories;

use forge_types::id::GrantId;
use forge_types::{Action, Error, ErrorKind, Scope};

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allow,
    /// No, for this reason.
    Deny(Denial),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// How the refusal looks to the caller.
    pub effect: Effect,
    /// Which rule refused, `layer.rule`.
    pub rule: &'static str,
    /// What the caller is told: why, and what would be needed.
    pub message: String,
    /// The grant that refused, if one did.
    pub grant: Option<GrantId>,
}

/// How a refusal looks to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The resource does not exist for this subject.
    Hidden,
    /// The subject has to say who it is.
    Unauthenticated,
    /// The credential lacks one of these scopes.
    MissingScope(Vec<Scope>),
    /// The subject may see the resource but not do this.
    Forbidden,
    /// Everything but a human's approval of just this is there.
    Approval,
}

impl Denial {
    pub(crate) fn hidden(rule: &'static str) -> Self {
        Self { effect: Effect::Hidden, rule, message: "Not Found".to_owned(), grant: None }
    }

    pub(crate) fn unauthenticated(rule: &'static str) -> Self {
        Self {
            effect: Effect::Unauthenticated,
            rule,
            message: "Requires authentication".to_owned(),
            grant: None,
        }
    }

    pub(crate) fn forbidden(rule: &'static str, message: impl Into<String>) -> Self {
        Self { effect: Effect::Forbidden, rule, message: message.into(), grant: None }
    }

    pub(crate) fn approval(rule: &'static str, message: impl Into<String>) -> Self {
        Self { effect: Effect::Approval, rule, message: message.into(), grant: None }
    }

    pub(crate) fn missing_scope(scopes: &[Scope]) -> Self {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let message = format!("this needs a token with one of the scopes: {}", names.join(", "));
        Self { effect: Effect::MissingScope(scopes.to_vec()), rule: "scope.missing", message, grant: None }
    }
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        match denial.effect {
            Effect::Hidden => Self::not_found(),
            Effect::Unauthenticated => Self::requires_authentication(),
            Effect::MissingScope(scopes) => {
                let names = scopes.into_iter().map(Scope::as_str).collect();
                Self::new(ErrorKind::InsufficientScope(names), denial.message)
            }
            Effect::Forbidden | Effect::Approval => Self::forbidden(denial.message),
        }
    }
}

/// Decides whether `subject` may do `action` to `resource`.
#[must_use]
pub fn decide(subject: &Subject, action: Action, resource: &Resource) -> Decision {
    let checks = [
        visibility::check,
        stop::check,
        subject::check,
        scope::check,
        grant::check,
        rights::check,
        approval::check,
    ];
    let refusal = checks.iter().find_map(|check| check(subject, action, resource).err());
    refusal.map_or(Decision::Allow, Decision::Deny)
}

type Verdict = Result<(), Denial>;

#[cfg(test)]
mod tests;
