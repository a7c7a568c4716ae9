//! What the grant behind a task token conveys. Every grant of the chain has to: a part of a grant is never more than it.
//!
//! INVARIANT: what no line here names is not conveyed, whatever the delegator may do.

use forge_types::grant::{GrantAction, GrantTerms};
use forge_types::id::{AccountId, GrantId};
use forge_types::repository::Visibility;
use forge_types::{Action, RefName};

use super::{ApprovalFacts, Denial, RefFacts, RepositoryFacts, Resource, Subject, Touched, Verdict};

/// A grant that a token stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFacts {
    /// The grant.
    pub id: GrantId,
    /// Who granted it.
    pub delegator_id: AccountId,
    /// Who made it.
    pub created_by: AccountId,
    /// What the work is.
    pub task: String,
    /// What it conveys.
    pub terms: GrantTerms,
}

/// Refuses what a grant of the chain does not convey.
pub(super) fn check(subject: &Subject, action: Action, resource: &Resource) -> Verdict {
    let Some(credential) = subject.principal().and_then(|principal| principal.credential()) else {
        return Ok(());
    };
    if let Resource::Approval(approval) = resource {
        return credential.grants.first().map_or(Ok(()), |own| own.check_approval(action, approval));
    }
    credential.grants.iter().try_for_each(|grant| grant.check(action, resource))
}

impl GrantFacts {
    fn check(&self, action: Action, resource: &Resource) -> Verdict {
        match resource {
            Resource::Repository(repository) => self.check_repository(action, repository),
            Resource::Ref(facts) => self.check_ref(action, facts),
            Resource::Account { .. } if may_concern_oneself(action) => Ok(()),
            Resource::Grant(_) if action == Action::TaskGrantRead => Ok(()),
            Resource::Agent(_) if matches!(action, Action::AgentRead | Action::AgentEvaluate) => Ok(()),
            Resource::Organization(_) if action == Action::OrganizationRead => Ok(()),
            Resource::Profile(_) => Ok(()),
            Resource::Site
            | Resource::Account { .. }
            | Resource::Agent(_)
            | Resource::Organization(_)
            | Resource::Team(_)
            | Resource::Grant(_)
            | Resource::KillSwitch(_)
            | Resource::Approval(_) => Err(self.not_conveyed(action)),
        }
    }

    /// What waits for another task is none of this one's.
    fn check_approval(&self, action: Action, approval: &ApprovalFacts) -> Verdict {
        let is_own = approval.grant_id.as_ref() == Some(&self.id);
        match action {
            Action::ApprovalRead | Action::ApprovalCancel if is_own => Ok(()),
            Action::ApprovalRead | Action::ApprovalCancel => Err(Denial::hidden("grant.approval")),
            _ => Err(self.not_conveyed(action)),
        }
    }

    fn check_repository(&self, action: Action, repository: &RepositoryFacts) -> Verdict {
        self.check_place(repository)?;
        let needed = needed(action).ok_or_else(|| self.not_conveyed(action))?;
        self.check_action(needed)
    }

    /// Nothing outside the grant exists for its token, but for what everybody can see.
    fn check_place(&self, repository: &RepositoryFacts) -> Verdict {
        if self.terms.concerns(repository.id) {
            return Ok(());
        }
        if repository.visibility != Visibility::Public {
            return Err(Denial::hidden("grant.resource"));
        }
        Err(self.refuse("grant.resource", "the repository is no part of the task", &self.allowed_resources()))
    }

    fn check_action(&self, needed: Needed) -> Verdict {
        let conveyed = &self.terms.actions;
        match needed {
            Needed::Nothing => Ok(()),
            Needed::One(action) if conveyed.contains(&action) => Ok(()),
            Needed::AnyOf(actions) if actions.iter().any(|action| conveyed.contains(action)) => Ok(()),
            Needed::One(action) => Err(self.lacks(&format!("this takes `{action}`"))),
            Needed::AnyOf(_) => Err(self.lacks("this changes refs")),
        }
    }

    fn check_ref(&self, action: Action, facts: &RefFacts) -> Verdict {
        self.check_repository(action, &facts.repository)?;
        let (id, name) = (facts.repository.id, &facts.name);
        if !self.terms.resources.iter().any(|resource| resource.covers_ref(id, name)) {
            let reason = "the ref is no part of the task";
            return Err(self.refuse("grant.ref", reason, &self.allowed_resources()));
        }
        self.check_prefix(action, name)?;
        self.check_paths(facts)
    }

    /// A prefix is about branches. Of tags it lets new ones be made where the grant conveys that, and leaves those alone
    /// that are there.
    fn check_prefix(&self, action: Action, name: &RefName) -> Verdict {
        let Some(prefix) = &self.terms.constraints.branch_prefix else { return Ok(()) };
        if prefix.covers(name) || action == Action::TagCreate {
            return Ok(());
        }
        let reason = "the ref is outside of the task's branches";
        Err(self.refuse("grant.prefix", reason, &format!("allows refs/heads/{prefix}*")))
    }

    fn check_paths(&self, facts: &RefFacts) -> Verdict {
        let denied = &self.terms.constraints.paths_deny;
        if denied.is_empty() {
            return Ok(());
        }
        let Touched::Paths(paths) = &facts.touched else {
            let reason = "it cannot be told which files this touches";
            return Err(self.refuse("grant.path_unknown", reason, "denies some"));
        };
        for pattern in denied {
            if let Some(path) = paths.iter().find(|path| pattern.is_touched_by(path)) {
                let reason = format!("this touches `{}`", String::from_utf8_lossy(path));
                return Err(self.refuse("grant.path", &reason, &format!("denies `{pattern}`")));
            }
        }
        Ok(())
    }

    fn allowed_resources(&self) -> String {
        let names: Vec<String> = self.terms.resources.iter().map(ToString::to_string).collect();
        format!("allows {}", names.join(", "))
    }

    fn lacks(&self, reason: &str) -> Denial {
        let names: Vec<&str> = self.terms.actions.iter().map(|action| action.as_str()).collect();
        self.refuse("grant.action", reason, &format!("allows {}", names.join(", ")))
    }

    fn not_conveyed(&self, action: Action) -> Denial {
        self.lacks(&format!("no grant conveys {}", action.as_str()))
    }

    /// The reason comes first and stands for itself; what the grant says follows after a semicolon.
    fn refuse(&self, rule: &'static str, reason: &str, what_it_says: &str) -> Denial {
        let mut denial = Denial::forbidden(rule, format!("{reason}; grant {} {what_it_says}", self.id));
        denial.grant = Some(self.id.clone());
        denial
    }
}

/// What a grant has to convey for an action.
#[derive(Clone, Copy)]
pub(super) enum Needed {
    Nothing,
    One(GrantAction),
    AnyOf(&'static [GrantAction]),
}

/// Returns what a grant has to convey for an action on a repository; `None` if no grant conveys it.
pub(super) const fn needed(action: Action) -> Option<Needed> {
    use {Action as A, GrantAction as G};
    const MOVES: &[GrantAction] = &[G::CreateBranch, G::PushBranch, G::ForcePush, G::DeleteRef, G::CreateTag];
    Some(match action {
        A::RepositoryRead => Needed::Nothing,
        A::CodeRead => Needed::One(G::ReadCode),
        A::CodePush => Needed::AnyOf(MOVES),
        A::BranchCreate => Needed::One(G::CreateBranch),
        A::BranchUpdate => Needed::One(G::PushBranch),
        A::BranchForceUpdate | A::TagUpdate => Needed::One(G::ForcePush),
        A::BranchDelete | A::TagDelete => Needed::One(G::DeleteRef),
        A::TagCreate => Needed::One(G::CreateTag),
        A::LabelManage => Needed::One(G::ManageIssues),
        _ => return None,
    })
}

/// Returns what a grant has to convey for an action; `None` if that is not one action of the vocabulary.
#[must_use]
pub const fn conveying(action: Action) -> Option<GrantAction> {
    match needed(action) {
        Some(Needed::One(action)) => Some(action),
        Some(Needed::Nothing | Needed::AnyOf(_)) | None => None,
    }
}

/// Clients ask who they are before they do anything. Passing part of the grant on is checked against it where it is done.
const fn may_concern_oneself(action: Action) -> bool {
    matches!(
        action,
        Action::AccountReadPrivate
            | Action::AccountListOwn
            | Action::TaskGrantList
            | Action::TaskGrantCreate
            | Action::ApprovalList
    )
}
