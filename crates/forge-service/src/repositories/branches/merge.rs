//! Merging one branch into another (<https://docs.github.com/rest/branches/branches#merge-a-branch>).

use forge_git::merge::{Confirmation, Merge, MergeLimits, Merger};
use forge_git::objects::{Commit, CommitDraft, Objects, PackBuilder, Signature};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectFormat, ObjectId, RefName, Result};

use crate::accounts::commit_signature_as;
use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{Opened, commit_of};
use crate::refs::Door;
use crate::repositories::refs::{Wanted, land};
use crate::target::RepositoryTarget;

/// A merge takes no more than git's own limits allow, and no more memory than this.
const LIMITS: MergeLimits = MergeLimits { bytes: 512 << 20, renames: 1000, changes: 10_000 };

/// What is to be merged.
#[derive(Clone, Debug, Default)]
pub struct NewMerge {
    /// The branch that is merged into.
    pub base: String,
    /// What is merged: a branch, a tag or a commit.
    pub head: String,
    /// What the merge commit says.
    pub message: Option<String>,
    /// The caller's address that stands in it.
    pub email: Option<String>,
}

/// Merges; `None` if the base has everything already.
///
/// # Errors
/// `NotFound` if base or head is none that the caller may read; `Conflict` if their changes contradict one another; `Stale` if the
/// base moved meanwhile; what the decision about pushing and the gate say.
pub async fn merge(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    new: &NewMerge,
) -> Result<(RepositoryAccess, Option<Commit>)> {
    let mut opened = Opened::open(ctx, target, Action::CodePush).await?;
    let absent = |what: &str| Error::new(ErrorKind::NotFound, format!("{what} does not exist"));
    let base = RefName::branch(&new.base).map_err(|_| absent("Base"))?;
    let base_id = opened.ref_id(&base).ok_or_else(|| absent("Base"))?;
    let head = opened.resolve(Some(&new.head)).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => absent("Head"),
        _ => error,
    })?;
    let author = commit_signature_as(ctx, new.email.as_deref()).await?;
    let message = new.message.clone().filter(|message| !message.trim().is_empty());
    let message = message.unwrap_or_else(|| format!("Merge {} into {}", new.head, new.base));
    let confirmation = Confirmation::new(
        ctx.app().git.processes.clone(),
        opened.directory(),
        ctx.app().random_number(),
        tokio::runtime::Handle::current(),
    );
    let merged = opened.read(move |objects| {
        let head_id = commit_of(objects, head.id)?;
        build(objects, confirmation, base_id, head_id, author, message)
    });
    let Some((pack, commit_id)) = merged.await? else { return Ok((opened.access, None)) };
    let wanted = Wanted { name: base, old: Some(base_id), new: Some(commit_id), may_force: false };
    land(&opened, Door::Merge, Some(pack), vec![wanted]).await?;
    opened.look_again();
    let commit = opened.read(move |objects| objects.commit(commit_id).map_err(fault)).await?;
    Ok((opened.access, Some(commit)))
}

/// Merges in memory; returns the new objects with the commit, or nothing if there is nothing to merge. Blocks.
fn build(
    objects: &mut Objects,
    confirmation: Confirmation,
    base_id: ObjectId,
    head_id: ObjectId,
    author: Signature,
    message: String,
) -> Result<Option<(PackBuilder, ObjectId)>> {
    if objects.is_ancestor(head_id, base_id).map_err(fault)? {
        return Ok(None);
    }
    let merger = Merger::new(objects, LIMITS, Some(confirmation));
    let tree_id = match merger.merge(base_id, head_id).map_err(fault)? {
        Merge::Clean { tree_id } => tree_id,
        Merge::Conflicted(_) | Merge::Unrelated => return Err(Error::conflict("Merge conflict")),
    };
    let parent_ids = vec![base_id, head_id];
    let draft = CommitDraft { tree_id, parent_ids, author: author.clone(), committer: author, message };
    let commit_id = merger.commit(&draft).map_err(fault)?;
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    merger.gather(&[commit_id], &mut pack).map_err(fault)?;
    Ok(Some((pack, commit_id)))
}
