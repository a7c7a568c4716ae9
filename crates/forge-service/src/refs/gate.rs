//! What may be done to which ref. The rules that need no rights come first: they hold for everyone.

use std::collections::HashMap;

use forge_types::repository::RepositoryAccess;
use forge_types::{Action, RefKind, RefName};

use crate::context::RequestContext;

/// What is done to a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Update,
    Force,
    Delete,
}

/// Decides about the ref changes of one request.
pub(crate) struct Gate<'a> {
    ctx: &'a RequestContext,
    found: &'a RepositoryAccess,
    /// Equal questions have equal answers, and a refusal is audited once.
    decided: HashMap<Action, Result<(), String>>,
}

impl<'a> Gate<'a> {
    pub(crate) fn new(ctx: &'a RequestContext, found: &'a RepositoryAccess) -> Self {
        Self { ctx, found, decided: HashMap::new() }
    }

    /// Decides about one ref; the refusal is for the client.
    pub(crate) fn check(&mut self, name: &RefName, step: Step) -> Result<(), String> {
        if !name.kind().is_writable_by_clients() {
            return Err("deny updating a hidden ref".to_owned());
        }
        if step == Step::Create {
            name.check_creatable().map_err(|error| error.to_string())?;
        }
        if step == Step::Delete && name.branch_name() == Some(self.found.repository.default_branch.as_str()) {
            return Err(format!("refusing to delete the current branch: {name}"));
        }
        let action = action(name.kind(), step);
        let (ctx, found) = (self.ctx, self.found);
        let decide = || ctx.permit(found, action).map_err(|error| error.message().to_owned());
        self.decided.entry(action).or_insert_with(decide).clone()
    }
}

const fn action(kind: RefKind, step: Step) -> Action {
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
