//! Renaming a branch: the old name goes and the new one comes, in one transaction
//! (<https://docs.github.com/rest/branches/branches#rename-a-branch>).

use forge_store::Tx;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, Event, RefName, Result};

use super::{Branch, find_branch};
use crate::context::RequestContext;
use crate::objects::Opened;
use crate::refs::Door;
use crate::repositories::refs::{Wanted, land_with};
use crate::target::RepositoryTarget;

/// Renames a branch. The default branch stays the default branch under its new name, which takes `admin`.
///
/// # Errors
/// `NotFound` if there is no such branch; `Invalid` if the new name is taken or none that a branch may have; what the gate says
/// about deleting the one name and creating the other.
pub async fn rename_branch(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    from: &str,
    to: &str,
) -> Result<(RepositoryAccess, Branch)> {
    let opened = Opened::open(ctx, target, Action::CodePush).await?;
    let old = RefName::branch(from).map_err(|_| Error::not_found())?;
    let id = opened.ref_id(&old).ok_or_else(Error::not_found)?;
    let new = RefName::branch(to)
        .map_err(|error| Error::unprocessable(format!("`{to}` is no name of a branch: {error}")))?;
    if opened.ref_id(&new).is_some() {
        return Err(Error::unprocessable(format!("a branch `{to}` exists already")));
    }
    let wanted = vec![
        Wanted { name: old, old: Some(id), new: None, may_force: true },
        Wanted { name: new, old: None, new: Some(id), may_force: false },
    ];
    let renamed = Renamed { from: from.to_owned(), to: to.to_owned() };
    land_with(&opened, Door::RenameBranch, None, wanted, Some(renamed)).await?;
    find_branch(ctx, RepositoryTarget::Id(opened.access.repository.id), to).await
}

/// A branch that gets another name.
#[derive(Clone, Debug)]
pub(in crate::repositories) struct Renamed {
    from: String,
    to: String,
}

impl Renamed {
    /// Makes the branch the default one under its new name, if it was under its old one.
    pub(in crate::repositories) async fn follow(
        self,
        ctx: &RequestContext,
        tx: &mut Tx,
        found: &mut RepositoryAccess,
    ) -> Result<()> {
        let Self { from, to } = self;
        if found.repository.default_branch != from {
            return Ok(());
        }
        ctx.permit(found, Action::RepositoryAdminister)?;
        forge_store::pushes::adopt_default_branch(tx, found.repository.id, &from, &to).await?;
        found.repository.default_branch.clone_from(&to);
        let event = Event::new("repository.default_branch_changed").repository(found.repository.id);
        ctx.record(tx, event.with("from", from).with("to", to)).await
    }
}
