//! What may be done to which ref. The rules that need no rights come first: they hold for everyone.

use std::collections::HashMap;

use forge_auth::policy::{Denial, Effect, RefFacts, Resource, Signing, Touched};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, RefKind, RefName};

use super::{Denied, Door};
use crate::context::RequestContext;
use crate::target::{Facts, Ids, repository_facts};

/// What is done to a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Update,
    Force,
    Delete,
}

/// Why a ref change is not made now.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// It is not made, for this reason.
    Never(String),
    /// It takes a human, and nothing else.
    Waits(Waits),
}

/// What takes a human.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    /// What would be done.
    pub(crate) action: Action,
    /// What says so.
    pub(crate) denial: Denial,
}

impl Refusal {
    pub(super) fn never(reason: impl Into<String>) -> Self {
        Self::Never(reason.into())
    }
}

/// Decides about the ref changes of one request.
pub(crate) struct Gate<'a> {
    ctx: &'a RequestContext,
    found: &'a RepositoryAccess,
    /// Does the answer depend on the ref, and not only on what is done to it?
    is_by_ref: bool,
    signing: Signing,
    /// Do the changes come from inside, as a pull request moves its refs?
    is_inside: bool,
    /// Equal questions have equal answers, and a refusal is audited once.
    decided: HashMap<Action, Result<(), Denial>>,
    /// The first refusal that is about the caller and not about the ref.
    denial: Option<Denied>,
}

impl<'a> Gate<'a> {
    /// Begins with what the changes have in common: whether they came signed.
    pub(crate) fn new(ctx: &'a RequestContext, found: &'a RepositoryAccess, signing: Signing) -> Self {
        let is_by_ref = ctx.is_bound_by_grant()
            || ctx.is_asked_outside()
            || ctx.policies().tell_refs_apart(found.repository.owner.id);
        Self { ctx, found, is_by_ref, signing, is_inside: false, decided: HashMap::new(), denial: None }
    }

    /// Says which door the changes come by.
    pub(super) fn by(mut self, door: Door) -> Self {
        self.is_inside = door == Door::Pull;
        self
    }

    /// Decides about one ref as far as that goes before its objects are there; the refusal is for the client.
    pub(crate) fn check_early(&mut self, name: &RefName, step: Step) -> Result<(), String> {
        match self.check(name, step, &Touched::nothing()) {
            Err(Refusal::Never(reason)) => Err(reason),
            Ok(()) | Err(Refusal::Waits(_)) => Ok(()),
        }
    }

    /// Decides about one ref.
    pub(crate) fn check(&mut self, name: &RefName, step: Step, touched: &Touched) -> Result<(), Refusal> {
        if self.is_inside {
            return self.check_inside(name);
        }
        check_for_everyone(self.found, name, step).map_err(Refusal::Never)?;
        let action = action(name.kind(), step);
        let question = Question { found: self.found, name, touched, signing: &self.signing };
        let ctx = self.ctx;
        let decide = || ctx.ask(&question, action);
        let decided =
            if self.is_by_ref { decide() } else { self.decided.entry(action).or_insert_with(decide).clone() };
        decided.map_err(|denial| match denial.effect {
            Effect::Approval => Refusal::Waits(Waits { action, denial }),
            _ => self.deny(denial),
        })
    }

    /// Notes the first refusal that is about the caller.
    fn deny(&mut self, denial: Denial) -> Refusal {
        let denied = Denied::from(denial);
        let reason = denied.reason.clone();
        self.denial.get_or_insert(denied);
        Refusal::Never(reason)
    }

    /// Whoever has a pull request move has been decided about as such; here it takes no more than reading. Nothing but refs of pull
    /// requests moves this way.
    fn check_inside(&mut self, name: &RefName) -> Result<(), Refusal> {
        if name.kind() != RefKind::Pull {
            return Err(Refusal::never("only refs of pull requests move this way"));
        }
        let decided = self.ctx.ask(self.found, Action::CodeRead);
        decided.map_err(|denial| self.deny(denial))
    }

    /// Returns the first refusal that is about the caller and not about the ref.
    pub(crate) fn into_denial(self) -> Option<Denied> {
        self.denial
    }
}

/// Refuses what nobody may do to a ref.
pub(crate) fn check_for_everyone(found: &RepositoryAccess, name: &RefName, step: Step) -> Result<(), String> {
    if !name.kind().is_writable_by_clients() {
        return Err("deny updating a hidden ref".to_owned());
    }
    if step == Step::Create {
        name.check_creatable().map_err(|error| error.to_string())?;
    }
    if step == Step::Delete && name.branch_name() == Some(found.repository.default_branch.as_str()) {
        return Err(format!("refusing to delete the current branch: {name}"));
    }
    Ok(())
}

/// May this be done to that ref?
struct Question<'a> {
    found: &'a RepositoryAccess,
    name: &'a RefName,
    touched: &'a Touched,
    signing: &'a Signing,
}

impl Facts for Question<'_> {
    fn resource(&self, _: &RequestContext) -> Resource {
        ref_resource(self.found, self.name, self.touched, self.signing)
    }

    fn ids(&self) -> Ids {
        self.found.ids()
    }
}

/// Returns what is decided about when a ref of a repository changes.
pub(crate) fn ref_resource(
    found: &RepositoryAccess,
    name: &RefName,
    touched: &Touched,
    signing: &Signing,
) -> Resource {
    Resource::Ref(RefFacts {
        repository: repository_facts(found),
        name: name.clone(),
        is_default: name.branch_name() == Some(found.repository.default_branch.as_str()),
        touched: touched.clone(),
        signing: signing.clone(),
    })
}

/// Returns what it is called to do this to a ref of that kind.
pub(crate) const fn action(kind: RefKind, step: Step) -> Action {
    match (kind, step) {
        (RefKind::Branch, Step::Create) => Action::BranchCreate,
        (RefKind::Branch, Step::Update) => Action::BranchUpdate,
        (RefKind::Branch, Step::Force) => Action::BranchForceUpdate,
        (RefKind::Branch, Step::Delete) => Action::BranchDelete,
        (RefKind::Tag, Step::Create) => Action::TagCreate,
        (RefKind::Tag, Step::Update | Step::Force) => Action::TagUpdate,
        (RefKind::Tag, Step::Delete) => Action::TagDelete,
        (RefKind::Note | RefKind::Pull | RefKind::Internal | RefKind::Other, _) => Action::OtherRefUpdate,
    }
}
