//! An object by an expression, as `git rev-parse` reads it: a revision, or a path in one.

use forge_git::objects::{Commit, EntryKind, ObjectKind, Objects, Tag};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectId, Result};

use super::opened::{Opened, commit_of};
use crate::context::RequestContext;
use crate::git::fault;
use crate::target::RepositoryTarget;

/// So many bytes of a file are shown.
const SHOWN: usize = 512 * 1024;

/// A file is binary if one of its first bytes, so many, is zero.
const PROBED: usize = 8000;

/// An object with what is shown of its kind.
#[derive(Clone, Debug)]
pub enum Object {
    /// A commit.
    Commit(Commit),
    /// A directory.
    Tree(ObjectId),
    /// A file.
    Blob(BlobText),
    /// An annotated tag.
    Tag(Tag),
}

impl Object {
    /// Returns its id.
    #[must_use]
    pub const fn id(&self) -> ObjectId {
        match self {
            Self::Commit(commit) => commit.id,
            Self::Tree(id) => *id,
            Self::Blob(blob) => blob.id,
            Self::Tag(tag) => tag.id,
        }
    }

    /// Returns what it is.
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::Commit(_) => ObjectKind::Commit,
            Self::Tree(_) => ObjectKind::Tree,
            Self::Blob(_) => ObjectKind::Blob,
            Self::Tag(_) => ObjectKind::Tag,
        }
    }
}

/// A file as text.
#[derive(Clone, Debug)]
pub struct BlobText {
    /// Its id.
    pub id: ObjectId,
    /// How many bytes it has.
    pub size: u64,
    /// Its beginning, if it is text.
    pub text: Option<String>,
    /// Is there more of it?
    pub is_truncated: bool,
}

/// Returns what an expression stands for: `REVISION`, or `REVISION:PATH`.
///
/// # Errors
/// `NotFound` if it stands for nothing that the caller may read.
pub async fn find(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    expression: &str,
) -> Result<(RepositoryAccess, Object)> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    let (revision, path) = match expression.split_once(':') {
        Some((revision, path)) => (revision, Some(path.to_owned())),
        None => (expression, None),
    };
    let named = opened.resolve(Some(revision)).await?;
    let object = opened.read(move |objects| {
        let id = match path {
            None => named.id,
            Some(path) => at_path(objects, named.id, &path)?,
        };
        load(objects, id)
    });
    let object = object.await?;
    Ok((opened.access, object))
}

fn at_path(objects: &mut Objects, id: ObjectId, path: &str) -> Result<ObjectId> {
    let commit_id = commit_of(objects, id)?;
    let entry = objects.entry_at(commit_id, path.as_bytes()).map_err(fault)?;
    // The commit of a submodule is in another repository.
    entry
        .filter(|entry| entry.kind != EntryKind::Submodule)
        .map(|entry| entry.id)
        .ok_or_else(Error::not_found)
}

fn load(objects: &mut Objects, id: ObjectId) -> Result<Object> {
    if id == ObjectId::empty_tree(id.format()) {
        return Ok(Object::Tree(id));
    }
    Ok(match objects.header(id).map_err(fault)?.0 {
        ObjectKind::Commit => Object::Commit(objects.commit(id).map_err(fault)?),
        ObjectKind::Tree => Object::Tree(id),
        ObjectKind::Tag => Object::Tag(objects.tag(id).map_err(fault)?),
        ObjectKind::Blob => {
            let start = objects.blob_start(id, SHOWN).map_err(fault)?;
            let is_binary = start.data.iter().take(PROBED).any(|byte| *byte == 0);
            let is_truncated = start.size > start.data.len() as u64;
            let text = (!is_binary).then(|| String::from_utf8_lossy(&start.data).into_owned());
            Object::Blob(BlobText { id, size: start.size, text, is_truncated })
        }
    })
}
