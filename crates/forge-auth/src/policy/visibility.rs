//! What exists for whom. Everything else about a resource is decided only after this.

use forge_types::account::AccountKind;
use forge_types::grant::GrantResource;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::organization::{OrganizationRole, TeamPrivacy};
use forge_types::repository::Visibility;
use forge_types::repository_query::VisibleRepositories;
use forge_types::{Action, Permission, Scope};

use super::{
    ApprovalFacts, Denial, Principal, RefFacts, RepositoryFacts, Resource, Subject, TaskGrantFacts,
    TeamFacts, Verdict, check_authority,
};

/// Returns which repositories `subject` may read, for lists: what [`super::decide`] answers for each kind of repository.
/// Policies do not bind reads.
#[must_use]
pub fn visible_repositories(subject: &Subject) -> VisibleRepositories {
    let granted = granted_repositories(subject);
    // Of those that no grant covers, none is read; one that is covered stands for the others.
    let id = granted.as_ref().and_then(|ids| ids.first()).copied().unwrap_or(RepositoryId(0));
    let may_read = |visibility, permission| {
        let facts = RepositoryFacts {
            id,
            owner_id: AccountId(0),
            owner_kind: AccountKind::Organization,
            full_name: String::new(),
            visibility,
            is_archived: false,
            allows_forking: true,
            permission,
        };
        check_authority(subject, Action::RepositoryRead, &Resource::Repository(facts)).is_ok()
    };
    VisibleRepositories {
        principal: subject.principal().map(Principal::rights_id),
        public: may_read(Visibility::Public, None),
        internal: may_read(Visibility::Internal, None),
        permitted: may_read(Visibility::Private, Some(Permission::Read)),
        only: granted,
    }
}

/// Returns the repositories that every grant of the chain is about; none when there are no grants.
fn granted_repositories(subject: &Subject) -> Option<Vec<RepositoryId>> {
    let grants = &subject.principal()?.credential()?.grants;
    let own = grants.first()?;
    let mut ids: Vec<RepositoryId> =
        own.terms.resources.iter().filter_map(GrantResource::repository_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| grants.iter().all(|grant| grant.terms.concerns(*id)));
    Some(ids)
}

/// Hides what the subject may not even read.
pub(super) fn check(subject: &Subject, _: Action, resource: &Resource) -> Verdict {
    match resource {
        Resource::Site | Resource::Account { .. } | Resource::Profile(_) | Resource::Organization(_) => {
            Ok(())
        }
        Resource::Agent(agent) => {
            let knows = subject.principal().is_some_and(|principal| {
                principal.id == agent.id || agent.owner_id == Some(principal.id) || principal.is_site_admin
            });
            if knows { Ok(()) } else { Err(Denial::hidden("visibility.agent")) }
        }
        Resource::Team(team) => check_team(subject, team),
        Resource::Grant(grant) => check_grant(subject, grant),
        Resource::KillSwitch(switch) => {
            let is_own = |principal: &Principal| principal.id == switch.set_by || principal.is_site_admin;
            if subject.principal().is_some_and(is_own) {
                Ok(())
            } else {
                Err(Denial::hidden("visibility.kill_switch"))
            }
        }
        Resource::Approval(approval) => check_approval(subject, approval),
        Resource::Repository(repository) | Resource::Ref(RefFacts { repository, .. }) => {
            check_repository(subject, repository)
        }
    }
}

fn check_grant(subject: &Subject, grant: &TaskGrantFacts) -> Verdict {
    let is_part = subject.principal().is_some_and(|principal| {
        let parts = [Some(grant.agent_id), grant.agent_owner_id, Some(grant.delegator_id)];
        parts.contains(&Some(principal.id)) || grant.owns_delegator || principal.is_site_admin
    });
    if is_part { Ok(()) } else { Err(Denial::hidden("visibility.grant")) }
}

fn check_approval(subject: &Subject, approval: &ApprovalFacts) -> Verdict {
    let is_part = subject.principal().is_some_and(|principal| {
        let is_own = [Some(approval.requester_id), approval.requester_owner_id].contains(&Some(principal.id));
        let may_write = approval.permission >= Some(Permission::Write);
        is_own || approval.delegators.contains(&principal.id) || may_write || principal.is_site_admin
    });
    if is_part { Ok(()) } else { Err(Denial::hidden("visibility.approval")) }
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
