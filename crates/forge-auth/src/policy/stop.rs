//! Kill switches: what stops an agent whatever it may do otherwise. People go on, or nobody could mend what went wrong.

use forge_types::Action;
use forge_types::account::AccountKind;
use forge_types::id::AccountId;
use forge_types::kill_switch::{Stop, StopScope};

use super::{Denial, GrantFacts, Principal, Resource, Subject, Verdict};

/// Refuses everything that a live kill switch stops.
pub(super) fn check(subject: &Subject, _: Action, resource: &Resource) -> Verdict {
    let Subject::Principal(principal) = subject else { return Ok(()) };
    match stopping(principal, resource, &principal.stops) {
        None => Ok(()),
        Some(stop) => Err(Denial::forbidden("stop.kill_switch", message(stop))),
    }
}

/// Returns what is told to whoever is stopped.
#[must_use]
pub fn message(stop: &Stop) -> String {
    format!("kill switch {} has stopped this", stop.id)
}

/// Returns the first of these kill switches that stops the principal from doing anything to the resource.
#[must_use]
pub fn stopping<'a>(principal: &Principal, resource: &Resource, stops: &'a [Stop]) -> Option<&'a Stop> {
    if principal.kind != AccountKind::Agent {
        return None;
    }
    stops.iter().find(|stop| is_stopped(principal, resource, &stop.scope))
}

fn is_stopped(principal: &Principal, resource: &Resource, scope: &StopScope) -> bool {
    let grants = principal.credential().map(|credential| credential.grants.as_slice()).unwrap_or_default();
    let delegated_by = |id: AccountId| {
        principal.holder_id == Some(id) || grants.iter().any(|grant| grant.delegator_id == id)
    };
    match scope {
        StopScope::Instance => true,
        StopScope::Agent(id) => principal.id == *id || delegated_by(*id),
        StopScope::Owner(id) => principal.owner_id == Some(*id) || delegated_by(*id),
        StopScope::Organization(id) => owner_of(resource) == Some(*id) || delegated_by(*id),
        StopScope::Grant(id) => grants.iter().any(|grant| grant.id == *id),
        StopScope::Task(id, task) => {
            let is_by = |grant: &GrantFacts| grant.delegator_id == *id || grant.created_by == *id;
            grants.iter().any(|grant| grant.task == *task && is_by(grant))
        }
    }
}

fn owner_of(resource: &Resource) -> Option<AccountId> {
    match resource {
        Resource::Repository(repository) => Some(repository.owner_id),
        Resource::Ref(facts) => Some(facts.repository.owner_id),
        Resource::Organization(organization) => Some(organization.id),
        Resource::Site
        | Resource::Account { .. }
        | Resource::Profile(_)
        | Resource::Agent(_)
        | Resource::Team(_)
        | Resource::Grant(_)
        | Resource::KillSwitch(_)
        | Resource::Approval(_) => None,
    }
}
