//! What exists for whom. Everything else about a resource is decided only after this.

use forge_types::Scope;
use forge_types::organization::{OrganizationRole, TeamPrivacy};
use forge_types::repository::Visibility;

use super::{Denial, RepositoryFacts, Resource, Subject, TeamFacts, Verdict};
use forge_types::Action;

/// Hides what the subject may not even read.
pub(super) fn check(subject: &Subject, _: Action, resource: &Resource) -> Verdict {
    match resource {
        Resource::Site | Resource::Account { .. } | Resource::Organization(_) => Ok(()),
        Resource::Agent(agent) => {
            let knows = subject.principal().is_some_and(|principal| {
                principal.id == agent.id || agent.owner_id == Some(principal.id) || principal.is_site_admin
            });
            if knows { Ok(()) } else { Err(Denial::hidden("visibility.agent")) }
        }
        Resource::Team(team) => check_team(subject, team),
        Resource::Repository(repository) => check_repository(subject, repository),
    }
}

fn check_team(subject: &Subject, team: &TeamFacts) -> Verdict {
    let is_visible = match (team.organization_role, team.privacy) {
        _ if subject.principal().is_none() => false,
        (Some(OrganizationRole::Admin), _) | (Some(OrganizationRole::Member), TeamPrivacy::Closed) => true,
        (Some(OrganizationRole::Member), TeamPrivacy::Secret) => team.role.is_some(),
        (None, _) => false,
    };
    if is_visible { Ok(()) } else { Err(Denial::hidden("visibility.team")) }
}

fn check_repository(subject: &Subject, repository: &RepositoryFacts) -> Verdict {
    let hidden = Err(Denial::hidden("visibility.repository"));
    if repository.visibility == Visibility::Public {
        return Ok(());
    }
    let Some(principal) = subject.principal() else { return hidden };
    if repository.permission.is_none() && repository.visibility != Visibility::Internal {
        return hidden;
    }
    let scopes = principal.credential().and_then(|credential| credential.scopes.as_ref());
    if scopes.is_some_and(|scopes| !scopes.contains(Scope::Repo)) {
        return hidden;
    }
    Ok(())
}
