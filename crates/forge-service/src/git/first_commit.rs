//! The first commit of a repository that is created with files.

use forge_git::objects::{CommitDraft, EntryKind, Objects, PackBuilder, Signature, TreeEntry};
use forge_store::Tx;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectFormat, ObjectId, RefName, Result};

use super::{fault, keep};
use crate::accounts::commit_signature;
use crate::context::RequestContext;
use crate::refs::{self, Door, Push, RefChange, Watch};
use crate::target::RepositoryTarget;

/// A file in the root directory of a new repository.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Writes the objects of a first commit and returns its directory. Blocks.
pub type FirstTree = Box<dyn FnOnce(&mut PackBuilder) -> Result<ObjectId> + Send>;

/// Returns what writes these files.
#[must_use]
pub fn first_files(files: Vec<NewFile>) -> FirstTree {
    Box::new(move |pack| {
        let mut entries = Vec::with_capacity(files.len());
        for file in files {
            let id = pack.blob(&file.content).map_err(fault)?;
            entries.push(TreeEntry { name: file.name.into_bytes(), kind: EntryKind::File, id });
        }
        pack.tree(&entries).map_err(fault)
    })
}

/// Commits files to the default branch of a repository that has no such branch yet, in the name of the caller. For use cases
/// that have created the repository, in a transaction that is committed.
///
/// # Errors
/// `Unauthenticated` when anonymous; what the decision about pushing says; `Invalid` if the branch exists.
pub async fn first_commit(
    ctx: &RequestContext,
    created: &RepositoryAccess,
    tree: FirstTree,
    message: &str,
) -> Result<()> {
    let id = created.repository.id;
    let branch = RefName::branch(&created.repository.default_branch).map_err(Error::internal)?;
    let (signature, message) = (commit_signature(ctx).await?, message.to_owned());
    let build = move || build(tree, signature, message);
    let (pack, commit_id) = tokio::task::spawn_blocking(build).await.map_err(Error::internal)??;
    let (ctx, directory) = (ctx.clone(), ctx.app().git.repository(id));
    let watch = Watch::of(&ctx, created).await?;
    keep(&ctx.clone(), id, Some(pack), async move |pack| {
        let inspect = move || {
            let mut objects = Objects::open(&directory).map_err(fault)?;
            RefChange::inspect(&mut objects, &watch, branch, None, Some(commit_id))
                .map_err(Error::unprocessable)
        };
        let change = tokio::task::spawn_blocking(inspect).await.map_err(Error::internal)??;
        let push = Push { pack, ..Push::by(Door::FirstCommit) };
        let target = RepositoryTarget::Id(id);
        // The repository is there already, so the request as a whole cannot be tried again; this can.
        let anew = ctx.anew();
        let mut tries = anew.tries();
        let tx = loop {
            let made = create_branch(&anew, target, &push, &change).await;
            if !tries.again().await {
                break made;
            }
        };
        ctx.adopt_refusals(&anew);
        Ok((tx?, ()))
    })
    .await
}

async fn create_branch(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    push: &Push,
    change: &RefChange,
) -> Result<Tx> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::CodePush).await?;
    refs::update(ctx, &mut tx, &found, push, std::slice::from_ref(change)).await?.into_result()?;
    Ok(tx)
}

fn build(tree: FirstTree, signature: Signature, message: String) -> Result<(PackBuilder, ObjectId)> {
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let tree_id = tree(&mut pack)?;
    let draft = CommitDraft {
        tree_id,
        parent_ids: Vec::new(),
        author: signature.clone(),
        committer: signature,
        message,
    };
    let commit_id = pack.commit(&draft).map_err(fault)?;
    Ok((pack, commit_id))
}
