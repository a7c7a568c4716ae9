//! Commits as objects: what stands in them, and new ones.

use forge_git::objects::{Commit, ExactCommit, ObjectKind, Objects};
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, ObjectId, Result};

use super::identity::signatures;
use super::opened::require_kind;
use super::trees::unless_unavailable;
use super::{Identity, make, parse, readable, refused};
use crate::context::RequestContext;
use crate::git::fault;
use crate::target::RepositoryTarget;

/// What a new commit is to say.
#[derive(Clone, Debug, Default)]
pub struct NewCommit {
    /// The message, to which nothing is added.
    pub message: String,
    /// The directory it records.
    pub tree: String,
    /// The commits it follows.
    pub parents: Vec<String>,
    /// Who wrote the change: the caller when left out.
    pub author: Option<Identity>,
    /// Who made the commit: the author when left out.
    pub committer: Option<Identity>,
    /// An armoured signature over the commit without it.
    pub signature: Option<String>,
}

/// A commit follows at most so many others.
const MAX_PARENTS: usize = 100;

/// Returns a commit by its id.
///
/// # Errors
/// `NotFound` if there is no such commit that the caller may read.
pub async fn commit(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    id: &str,
) -> Result<(RepositoryAccess, Commit)> {
    let id = parse(id)?;
    let opened = readable(ctx, target, id).await?;
    let commit = opened.read(move |objects| {
        require_kind(objects, id, ObjectKind::Commit)?;
        objects.commit(id).map_err(fault)
    });
    let commit = commit.await?;
    Ok((opened.access, commit))
}

/// Makes a commit. No ref moves.
///
/// # Errors
/// `Invalid` if tree or parents are none that the caller may read, or what it is to say cannot stand in a commit; `Conflict` if
/// the repository is empty; what the decision about pushing says.
pub async fn create_commit(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    new: NewCommit,
) -> Result<(RepositoryAccess, Commit)> {
    let mut opened = make::open(ctx, target).await?;
    if new.parents.len() > MAX_PARENTS {
        return Err(Error::unprocessable(format!("a commit has at most {MAX_PARENTS} parents")));
    }
    let tree_id = parse(&new.tree)?;
    let parent_ids: Vec<ObjectId> = new.parents.iter().map(|id| parse(id)).collect::<Result<_>>()?;
    let (author, committer) = signatures(ctx, new.author.as_ref(), new.committer.as_ref()).await?;
    let absent = |what: &str| Error::unprocessable(format!("{what} does not exist"));
    opened.check(&[tree_id]).await.map_err(|error| unless_unavailable(error, absent("Tree SHA")))?;
    opened.check(&parent_ids).await.map_err(|error| unless_unavailable(error, absent("Parent SHA")))?;
    let id = make::make(&opened, move |objects, pack| {
        check_kinds(objects, tree_id, &parent_ids)?;
        if tree_id == ObjectId::empty_tree(tree_id.format()) {
            pack.tree(&[]).map_err(refused)?;
        }
        let (author, committer) = (author.encode(), committer.encode());
        let commit = ExactCommit {
            tree_id,
            parent_ids: &parent_ids,
            author: author.as_bytes(),
            committer: committer.as_bytes(),
            signature: new.signature.as_deref().map(str::as_bytes),
            message: new.message.as_bytes(),
        };
        pack.exact_commit(&commit).map_err(refused)
    });
    let id = id.await?;
    opened.look_again();
    let commit = opened.read(move |objects| objects.commit(id).map_err(fault)).await?;
    Ok((opened.access, commit))
}

fn check_kinds(objects: &mut Objects, tree_id: ObjectId, parent_ids: &[ObjectId]) -> Result<()> {
    let mut require = |id: ObjectId, kind: ObjectKind| match objects.header(id).map_err(refused)?.0 {
        found if found == kind => Ok(()),
        found => {
            Err(Error::unprocessable(format!("`{id}` is a {}, not a {}", found.as_str(), kind.as_str())))
        }
    };
    if tree_id != ObjectId::empty_tree(tree_id.format()) {
        require(tree_id, ObjectKind::Tree)?;
    }
    parent_ids.iter().try_for_each(|id| require(*id, ObjectKind::Commit))
}
