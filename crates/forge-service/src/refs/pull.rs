//! The refs of pull requests: `refs/pull/N/head`, what is proposed, and `refs/pull/N/merge`, what merging it now would make
//! (<https://docs.github.com/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally>).
//!
//! They are shown to every reader, and moved from inside alone: what a pull request does has been decided about when it is
//! asked for. They go through the ref gate like all others, with reflog and audit event.

use forge_git::PackInfo;
use forge_store::Tx;
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, RefKind, RefName, Result};

use super::{Door, Outcome, Push, RefChange, update};
use crate::context::RequestContext;

/// A ref of a pull request, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullRef {
    /// What is proposed.
    Head(u32),
    /// What merging it now would make.
    Merge(u32),
}

impl PullRef {
    /// Returns the full name.
    ///
    /// # Errors
    /// Never for a number that a pull request has.
    pub fn name(self) -> Result<RefName> {
        let name = match self {
            Self::Head(number) => format!("refs/pull/{number}/head"),
            Self::Merge(number) => format!("refs/pull/{number}/merge"),
        };
        RefName::new(name).map_err(Error::internal)
    }
}

/// Moves refs of pull requests of a repository that was loaded in this transaction, all or none. `pack` has the objects that came
/// with them, already durable.
///
/// # Errors
/// `Internal` if another ref is among them; as [`update`] otherwise.
pub async fn update_pull(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &RepositoryAccess,
    pack: Option<PackInfo>,
    changes: &[RefChange],
) -> Result<Outcome> {
    if changes.iter().any(|change| change.name().kind() != RefKind::Pull) {
        return Err(Error::internal("a pull request was to move a ref that is none of its own"));
    }
    let push = Push { pack, ..Push::by(Door::Pull) };
    update(ctx, tx, found, &push, changes).await
}
