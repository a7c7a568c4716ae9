//! What a repository holds, read and changed by path: files, directories, the README.
//!
//! INVARIANT: a commit is read only if [`crate::objects`] says that the caller may. An id alone opens nothing.

mod readme;
mod write;

use forge_git::objects::{EntryKind, Objects, TreeEntry};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectId, Result};

use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{MAX_BLOB, Opened, commit_of};
use crate::target::RepositoryTarget;

pub use forge_git::objects::EntryKind as ContentKind;
pub use readme::readme;
pub use write::{
    BranchCommit, FileChange, FileCommit, FileContent, FileEdit, commit_on_branch, delete_file, put_file,
};

/// A file, directory, link or submodule.
#[derive(Clone, Debug)]
pub struct ContentEntry {
    /// Its name.
    pub name: String,
    /// Where it lies; empty for the root directory.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The object it names.
    pub id: ObjectId,
    /// Its bytes; zero for directories and submodules.
    pub size: u64,
}

/// What is in it.
#[derive(Clone, Debug)]
pub enum ContentBody {
    /// The bytes of a file, or the target of a link.
    Bytes(Vec<u8>),
    /// What lies in a directory.
    Entries(Vec<ContentEntry>),
    /// A commit of another repository.
    Submodule,
}

/// What was found at a path.
#[derive(Clone, Debug)]
pub struct Content {
    /// The repository.
    pub access: RepositoryAccess,
    /// The branch, tag or commit it was read from, as it was named.
    pub revision: String,
    /// What lies there.
    pub entry: ContentEntry,
    /// What is in it.
    pub body: ContentBody,
}

/// Returns what lies at `path` in `revision`: a branch, tag or commit, or the default branch.
///
/// # Errors
/// `NotFound` if there is no such path, revision or repository, or the caller may not read it.
pub async fn contents(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    path: &str,
    revision: Option<&str>,
) -> Result<Content> {
    let path = path.trim_matches('/').to_owned();
    read_at(ctx, target, revision, move |objects, commit_id| find(objects, commit_id, &path)).await
}

/// Reads at `revision` of a repository: a branch, tag or commit, or the default branch.
async fn read_at(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    revision: Option<&str>,
    find: impl FnOnce(&mut Objects, ObjectId) -> Result<(ContentEntry, ContentBody)> + Send + 'static,
) -> Result<Content> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    let named = opened.resolve(revision).await?;
    let id = named.id;
    let read = move |objects: &mut Objects| {
        let commit_id = commit_of(objects, id)?;
        find(objects, commit_id)
    };
    let (entry, body) = opened.read(read).await?;
    Ok(Content { access: opened.access, revision: named.name, entry, body })
}

fn find(objects: &mut Objects, commit_id: ObjectId, path: &str) -> Result<(ContentEntry, ContentBody)> {
    let found = objects.entry_at(commit_id, path.as_bytes()).map_err(fault)?.ok_or_else(Error::not_found)?;
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    load(objects, &found, parent)
}

/// Reads an entry of the directory `parent`.
fn load(objects: &mut Objects, found: &TreeEntry, parent: &str) -> Result<(ContentEntry, ContentBody)> {
    let entry = describe(objects, found, parent)?;
    let body = match found.kind {
        EntryKind::Tree => {
            let entries = objects.tree(found.id).map_err(fault)?;
            let described = entries.iter().map(|inner| describe(objects, inner, &entry.path));
            ContentBody::Entries(described.collect::<Result<_>>()?)
        }
        EntryKind::File | EntryKind::Executable | EntryKind::Link => {
            if entry.size > MAX_BLOB {
                let message =
                    "This API returns files of at most 100 MB; clone the repository to read larger ones";
                return Err(Error::new(ErrorKind::Forbidden, message));
            }
            ContentBody::Bytes(objects.blob(found.id, MAX_BLOB).map_err(fault)?)
        }
        EntryKind::Submodule => ContentBody::Submodule,
    };
    Ok((entry, body))
}

fn describe(objects: &mut Objects, found: &TreeEntry, parent: &str) -> Result<ContentEntry> {
    let name = String::from_utf8_lossy(&found.name).into_owned();
    let size = match found.kind {
        EntryKind::Tree | EntryKind::Submodule => 0,
        EntryKind::File | EntryKind::Executable | EntryKind::Link => {
            objects.header(found.id).map_err(fault)?.1
        }
    };
    let path = if parent.is_empty() { name.clone() } else { format!("{parent}/{name}") };
    Ok(ContentEntry { name, path, kind: found.kind, id: found.id, size })
}
