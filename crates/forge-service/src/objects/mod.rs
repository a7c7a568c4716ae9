//! Git objects by their ids: reading them, and making new ones without a ref.
//!
//! An id is a door. INVARIANT: an object is read by id only if a ref that the caller may see leads to it, or if the caller made
//! it through the API within a day and all that it builds on is readable: see [`readable`]. Nothing that was removed from
//! every ref can be had back by its id, nor by naming it in a new object.
//!
//! New objects are a pack of their own on the manifest, durable before anyone is told their ids. Refs move elsewhere, through
//! [`crate::refs`] alone.

mod blobs;
mod commits;
mod fault;
mod find;
mod identity;
mod make;
mod opened;
mod tags;
mod trees;

pub use blobs::{Blob, blob, create_blob};
pub use commits::{NewCommit, commit, create_commit};
pub use find::{BlobText, Object, find};
pub use forge_git::objects::{Commit, EntryKind, ObjectKind, Signature, Signed, Tag};
pub use identity::Identity;
pub use tags::{NewTag, create_tag, tag};
pub use trees::{NewItem, NewItemContent, Tree, TreeItem, create_tree, tree};

pub(crate) use fault::refused;
pub(crate) use identity::signatures;
pub(crate) use opened::{Opened, commit_of};

use std::time::Duration;

use forge_types::{Action, Error, ObjectId, Result};

use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// How long the maker of an object may read it while no ref reaches it.
pub const READABLE_FOR: Duration = Duration::from_secs(24 * 3600);

/// The largest file whose content is read into an answer, as on GitHub.
pub const MAX_BLOB: u64 = 100 * 1024 * 1024;

/// Opens a repository for reading one object, which the caller may read.
///
/// # Errors
/// `NotFound` if there is no such object, no ref that the caller may see leads to it and the caller did not make it lately, or
/// the caller may not read the repository.
pub(crate) async fn readable(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    id: ObjectId,
) -> Result<Opened> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    opened.check(&[id]).await?;
    Ok(opened)
}

/// Reads the full id of an object, in GitHub's words if it is none.
pub(crate) fn parse(text: &str) -> Result<ObjectId> {
    let id = text.parse::<ObjectId>().ok();
    id.filter(|id| matches!(id, ObjectId::Sha1(_))).ok_or_else(|| {
        Error::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    })
}
