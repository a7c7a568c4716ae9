//! A new repository with the files of another one, as one commit without the other's history
//! (<https://docs.github.com/repositories/creating-and-managing-repositories/creating-a-repository-from-a-template>).

use forge_git::Repository;
use forge_git::objects::{EntryKind, Objects, PackBuilder, TreeEntry};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, FieldCode, ObjectId, RefName, Result};

use super::create::{NewRepository, RepositoryOwner, create_with};
use crate::context::RequestContext;
use crate::git::{FirstTree, fault};
use crate::target::{RefTarget, RepositoryTarget};

/// The files of a template may have so many bytes in all: they pass through memory.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Directories lie so deep at most.
const MAX_DEPTH: usize = 200;

/// Creates a repository with the files on the default branch of a template. One without files begins empty.
///
/// # Errors
/// `NotFound` if the caller may not read the template; `Invalid` if it is none, or as for any new repository.
pub async fn create_from_template(
    ctx: &RequestContext,
    owner: RepositoryOwner<'_>,
    template: RepositoryTarget<'_>,
    with_all_branches: bool,
    mut new: NewRepository,
) -> Result<RepositoryAccess> {
    if with_all_branches {
        let message = "only the default branch of a template can be copied";
        return Err(Error::invalid("Repository", "include_all_branches", FieldCode::Unprocessable, message));
    }
    let source = super::find(ctx, template).await?.repository;
    if !source.settings.is_template {
        let message = format!("`{}` is not a template repository", source.full_name());
        return Err(Error::invalid("Repository", "template", FieldCode::Invalid, message));
    }
    new.default_branch = Some(source.default_branch.clone());
    let branch = RefName::branch(&source.default_branch).map_err(Error::internal)?;
    let mut conn = ctx.read().await?;
    let found =
        ctx.authorize(&mut conn, RefTarget(RepositoryTarget::Id(source.id), &branch), Action::CodeRead);
    let tip = found.await?.part.map(|found| found.object_id);
    drop(conn);
    let directory = ctx.app().git.repository(source.id);
    let tree: Option<FirstTree> =
        tip.map(|tip| Box::new(move |pack: &mut PackBuilder| copy(&directory, tip, pack)) as FirstTree);
    create_with(ctx, owner, &new, tree).await
}

/// Copies the files of a commit and returns their directory. Blocks.
fn copy(directory: &Repository, commit_id: ObjectId, pack: &mut PackBuilder) -> Result<ObjectId> {
    let mut objects = Objects::open(directory).map_err(fault)?;
    let tree_id = objects.commit(commit_id).map_err(fault)?.tree_id;
    Copy { objects: &mut objects, pack, bytes: 0 }.tree(tree_id, 0)
}

struct Copy<'a> {
    objects: &'a mut Objects,
    pack: &'a mut PackBuilder,
    bytes: u64,
}

impl Copy<'_> {
    fn tree(&mut self, id: ObjectId, depth: usize) -> Result<ObjectId> {
        if depth > MAX_DEPTH {
            return Err(too_large());
        }
        let mut entries = Vec::new();
        for entry in self.objects.tree(id).map_err(fault)? {
            let id = match entry.kind {
                EntryKind::Tree => self.tree(entry.id, depth + 1)?,
                EntryKind::File | EntryKind::Executable | EntryKind::Link => self.blob(entry.id)?,
                // A commit of another repository is named, not copied.
                EntryKind::Submodule => entry.id,
            };
            entries.push(TreeEntry { id, ..entry });
        }
        self.pack.tree(&entries).map_err(fault)
    }

    fn blob(&mut self, id: ObjectId) -> Result<ObjectId> {
        let left = MAX_BYTES - self.bytes;
        let (_, size) = self.objects.header(id).map_err(fault)?;
        if size > left {
            return Err(too_large());
        }
        self.bytes += size;
        let data = self.objects.blob(id, left).map_err(fault)?;
        self.pack.blob(&data).map_err(fault)
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, "the template is too large to be copied")
}
