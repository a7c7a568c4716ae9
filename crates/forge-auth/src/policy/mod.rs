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
//! 7. `ceiling`: what an agent, or everybody in an access group, has at most; it binds changes alone.
//! 8. `cedar`: what a policy of the forge or of an organization forbids; it is asked about changes alone.
//! 9. `outside`: what a decision point outside the forge does not allow, where there is one; changes alone, as before.
//! 10. `approval`: what waits for a human each time.

mod approval;
pub mod cedar;
mod ceiling;
mod grant;
mod outside;
mod resource;
mod rights;
mod scope;
mod signing;
mod stop;
mod subject;
mod visibility;

pub use cedar::{Circumstances, Policies};
pub use ceiling::organization_of;
pub use grant::{GrantFacts, conveying};
pub use outside::{Answer, Answers};
pub use resource::{
    AgentFacts, ApprovalFacts, KillSwitchFacts, OrganizationFacts, ProfileFacts, RefFacts, RepositoryFacts,
    Resource, Signing, TaskGrantFacts, TeamFacts, Touched,
};
pub use stop::{message as stop_message, stopping};
pub use subject::{CredentialFacts, Means, Presence, Principal, Subject};
pub use visibility::visible_repositories;

use std::borrow::Cow;

use forge_types::id::{AccountId, GrantId};
use forge_types::{Action, Error, ErrorKind, Scope, Withheld};

use cedar::{Facts, Outcome, Rule};
use outside::Sought;

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
    /// Which rule refused: `layer.rule`, or `policy:NAME` for a policy.
    pub rule: Cow<'static, str>,
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
    /// A policy withholds it until something else is so.
    Withheld(Withheld),
}

impl Denial {
    pub(crate) fn hidden(rule: &'static str) -> Self {
        Self { effect: Effect::Hidden, rule: rule.into(), message: "Not Found".to_owned(), grant: None }
    }

    pub(crate) fn unauthenticated(rule: &'static str) -> Self {
        Self {
            effect: Effect::Unauthenticated,
            rule: rule.into(),
            message: "Requires authentication".to_owned(),
            grant: None,
        }
    }

    pub(crate) fn forbidden(rule: &'static str, message: impl Into<String>) -> Self {
        Self { effect: Effect::Forbidden, rule: rule.into(), message: message.into(), grant: None }
    }

    pub(crate) fn approval(rule: &'static str, message: impl Into<String>) -> Self {
        Self { effect: Effect::Approval, rule: rule.into(), message: message.into(), grant: None }
    }

    /// A policy refuses: it is named, with its reason and what it asks for.
    pub(crate) fn by_policy(rule: &Rule) -> Self {
        let effect = match rule.outcome {
            None => Effect::Forbidden,
            Some(Outcome::ReadOnly) => Effect::Withheld(Withheld::ReadOnly),
            Some(Outcome::ReviewBefore) => Effect::Withheld(Withheld::ReviewNeeded),
            Some(Outcome::RequireStrongerAuth) => Effect::Withheld(Withheld::StrongerAuthentication),
            Some(Outcome::RequireApproval) => Effect::Approval,
        };
        let words = rule.outcome.map_or("a policy forbids this", Outcome::words);
        let reason = rule.reason.as_deref().unwrap_or(words);
        let message = rule.message.clone().unwrap_or_else(|| format!("{reason}; {} says so", rule.name));
        Self { effect, rule: rule.name.clone().into(), message, grant: None }
    }

    /// A policy could not be evaluated; that is no yes.
    pub(crate) fn unevaluated(rule: &str) -> Self {
        let message = format!("a policy cannot be evaluated, so this is refused; {rule} says so");
        Self { effect: Effect::Forbidden, rule: rule.to_owned().into(), message, grant: None }
    }

    pub(crate) fn missing_scope(scopes: &[Scope]) -> Self {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let message = format!("this needs a token with one of the scopes: {}", names.join(", "));
        Self {
            effect: Effect::MissingScope(scopes.to_vec()),
            rule: "scope.missing".into(),
            message,
            grant: None,
        }
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
            Effect::Withheld(withheld) => Self::new(ErrorKind::Withheld(withheld), denial.message),
        }
    }
}

/// The answer to one question, with what the policies were told if it came to them.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The answer.
    pub decision: Decision,
    /// What the policies were told; none if they do not bind this, or something refused before they were asked.
    pub facts: Option<Facts>,
    /// Is it a refusal for as long as nobody has asked outside?
    pub is_open: bool,
}

impl Ruling {
    const fn refused(denial: Denial) -> Self {
        Self { decision: Decision::Deny(denial), facts: None, is_open: false }
    }
}

/// Decides whether `subject` may do `action` to `resource`.
#[must_use]
pub fn decide(
    policies: &Policies,
    circumstances: &Circumstances<'_>,
    subject: &Subject,
    action: Action,
    resource: &Resource,
) -> Ruling {
    if let Err(denial) = check_authority(subject, action, resource) {
        return Ruling::refused(denial);
    }
    if let Err(denial) = ceiling::check(circumstances.groups, subject, action, resource) {
        return Ruling::refused(denial);
    }
    let facts = match asked(policies, circumstances, subject, action, resource) {
        Ok(facts) => facts,
        Err(denial) => return Ruling::refused(denial),
    };
    let mut verdict = facts.as_ref().map_or(Ok(()), |facts| policies.judge(policies_of(resource), facts));
    let sought = circumstances.outside.zip(facts.as_ref().filter(|_| verdict.is_ok()));
    match sought.map(|(outside, facts)| outside.find(facts)) {
        Some(Sought::Open(denial)) => {
            return Ruling { decision: Decision::Deny(denial), facts, is_open: true };
        }
        Some(Sought::Said(said)) => verdict = said,
        None => {}
    }
    // A human who approved just this, approved what each of them asks for.
    let verdict = verdict.and_then(|()| {
        if circumstances.is_approved { Ok(()) } else { approval::check(subject, action, resource) }
    });
    Ruling { decision: verdict.err().map_or(Decision::Allow, Decision::Deny), facts, is_open: false }
}

/// Refuses what the subject has no right to, whatever the policies say.
fn check_authority(subject: &Subject, action: Action, resource: &Resource) -> Verdict {
    let checks = [visibility::check, stop::check, subject::check, scope::check, grant::check, rights::check];
    checks.iter().try_for_each(|check| check(subject, action, resource))
}

/// Returns what the policies are told, if they bind this. Nobody changes anything without saying who it is.
fn asked(
    policies: &Policies,
    circumstances: &Circumstances<'_>,
    subject: &Subject,
    action: Action,
    resource: &Resource,
) -> Result<Option<Facts>, Denial> {
    if !cedar::binds(action) {
        return Ok(None);
    }
    let principal = subject.principal().ok_or_else(|| Denial::unauthenticated("policy.anonymous"))?;
    let facts = Facts::gather(policies, circumstances, principal, action, resource);
    facts.map(Some).ok_or_else(|| Denial::forbidden("policy.resource", "this cannot be done to that"))
}

/// Returns whose policies bind what is done to the resource.
#[must_use]
pub fn policies_of(resource: &Resource) -> Option<AccountId> {
    match resource {
        Resource::Repository(repository) => Some(repository.owner_id),
        Resource::Ref(facts) => Some(facts.repository.owner_id),
        Resource::Organization(organization) => Some(organization.id),
        Resource::Team(team) => Some(team.organization_id),
        Resource::Grant(grant) => Some(grant.delegator_id),
        Resource::Site
        | Resource::Account { .. }
        | Resource::Profile(_)
        | Resource::Agent(_)
        | Resource::KillSwitch(_)
        | Resource::Approval(_) => None,
    }
}

type Verdict = Result<(), Denial>;

#[cfg(test)]
mod tests;
