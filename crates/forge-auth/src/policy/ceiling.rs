//! What somebody has at most, whatever gives it: by the agent's own ceiling, and by the access groups of the organization
//! whose repository it is. A ceiling gives nothing, binds humans and agents alike, and never binds reading, so that lists
//! stay exact.

use forge_types::access_group::AccessGroupPlace;
use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::ceiling::Ceiling;
use forge_types::credential::CredentialKind;
use forge_types::grant::GrantAction;
use forge_types::id::AccountId;
use forge_types::{Action, Permission};

use super::grant::{Needed, needed};
use super::rights::needed_permission;
use super::{Denial, Principal, RepositoryFacts, Resource, Subject, Verdict, cedar};

/// Refuses what is above a ceiling. `places` are the groups of everyone who stands behind the request.
pub(super) fn check(
    places: &[AccessGroupPlace],
    subject: &Subject,
    action: Action,
    resource: &Resource,
) -> Verdict {
    let Some(principal) = subject.principal().filter(|_| cedar::binds(action)) else { return Ok(()) };
    check_own(principal, action, resource)?;
    let Some(repository) = repository_of(resource) else { return Ok(()) };
    let bound = Bound::of(action, resource);
    places
        .iter()
        .filter(|place| place.organization_id == repository.owner_id)
        .try_for_each(|place| check_group(place, &bound, principal))
}

/// Returns the organization whose access groups bind what is done to the resource.
#[must_use]
pub fn organization_of(resource: &Resource) -> Option<AccountId> {
    match resource {
        Resource::Organization(organization) => Some(organization.id),
        Resource::Team(team) => Some(team.organization_id),
        _ => repository_of(resource)
            .filter(|repository| repository.owner_kind == AccountKind::Organization)
            .map(|repository| repository.owner_id),
    }
}

const fn repository_of(resource: &Resource) -> Option<&RepositoryFacts> {
    match resource {
        Resource::Repository(repository) => Some(repository),
        Resource::Ref(facts) => Some(&facts.repository),
        _ => None,
    }
}

/// What an action takes of a ceiling.
struct Bound {
    permission: Permission,
    /// The actions of which one is needed; none if grants have no word for it.
    actions: Option<Vec<GrantAction>>,
    /// Whether it changes refs, so that a list of actions which lacks it forbids it.
    is_ref: bool,
}

impl Bound {
    fn of(action: Action, resource: &Resource) -> Self {
        let actions = match needed(action) {
            Some(Needed::One(action)) => Some(vec![action]),
            Some(Needed::AnyOf(actions)) => Some(actions.to_vec()),
            Some(Needed::Nothing) | None => None,
        };
        Self {
            permission: needed_permission(action).unwrap_or(Permission::Admin),
            actions,
            is_ref: matches!(resource, Resource::Ref(_)),
        }
    }

    /// Refuses what the ceiling has no room for; `whose` says whose it is.
    fn check(&self, ceiling: &Ceiling, rule: &'static str, whose: &str) -> Verdict {
        if ceiling.permission < self.permission {
            let message = format!(
                "this takes `{}` permission; {whose} is `{}`",
                self.permission.role_name(),
                ceiling.permission.role_name()
            );
            return Err(Denial::forbidden(rule, message));
        }
        let Some(allowed) = &ceiling.actions else { return Ok(()) };
        let has_room = match &self.actions {
            Some(actions) => actions.iter().any(|action| allowed.contains(action)),
            None => !self.is_ref,
        };
        if has_room {
            return Ok(());
        }
        Err(Denial::forbidden(rule, format!("{whose} is {}", ceiling.words())))
    }
}

/// An agent's own ceiling binds it everywhere; what is not a repository's takes all of it.
fn check_own(principal: &Principal, action: Action, resource: &Resource) -> Verdict {
    let Some(ceiling) = &principal.ceiling else { return Ok(()) };
    let is_bound = matches!(
        resource,
        Resource::Repository(_) | Resource::Ref(_) | Resource::Organization(_) | Resource::Team(_)
    );
    if !is_bound {
        return Ok(());
    }
    Bound::of(action, resource).check(ceiling, "ceiling.agent", "the agent's ceiling")
}

fn check_group(place: &AccessGroupPlace, bound: &Bound, principal: &Principal) -> Verdict {
    let whose = format!("the ceiling of access group `{}`", place.name);
    bound.check(&place.ceiling, "ceiling.group", &whose)?;
    let is_own = place.account_id == principal.id && principal.kind == AccountKind::Agent;
    if is_own && place.standing_access < StandingAccess::Full && is_standing(principal) {
        let message = format!(
            "in access group `{}` an agent's standing token can only read; writing takes a task token",
            place.name
        );
        return Err(Denial::forbidden("ceiling.standing_read", message));
    }
    Ok(())
}

fn is_standing(principal: &Principal) -> bool {
    principal
        .credential()
        .is_some_and(|credential| credential.grants.is_empty() && credential.kind != CredentialKind::Switch)
}
