//! One commit, with what it changed against its first parent.

use forge_git::objects::{Commit, Objects};
use forge_types::page::PageRequest;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectId, Result};

use super::changes::{FilePage, MAX_TEXT, OPTIONS, TEXT_LIMITS, changes};
use super::{Changes, Stats};
use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{Opened, commit_of};
use crate::target::RepositoryTarget;

/// How many hex digits of ids diffs show.
pub(super) const DIGITS: usize = 7;

/// A commit and what it changed.
#[derive(Clone, Debug)]
pub struct CommitDetail {
    /// The commit.
    pub commit: Commit,
    /// What it changed.
    pub changes: Changes,
}

impl CommitDetail {
    /// Returns how many lines it changed.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.changes.stats
    }
}

/// Returns a commit, by branch, tag or full id, with a page of the files it changed.
///
/// # Errors
/// `Invalid`, as on GitHub, if there is no such commit that the caller may read; `Conflict` if the repository is empty.
pub async fn find(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
    page: Option<PageRequest>,
) -> Result<(RepositoryAccess, CommitDetail)> {
    let (opened, id) = open(ctx, target, name).await?;
    let read = opened.read(move |objects| {
        let id = commit_named(objects, id)?;
        let commit = objects.commit(id).map_err(fault)?;
        let diff = objects.diff_commit(id, &OPTIONS).map_err(fault)?;
        Ok(CommitDetail { commit, changes: changes(objects, &diff, FilePage::new(page))? })
    });
    let detail = read.await?;
    Ok((opened.access, detail))
}

/// Returns the id of a commit, by branch, tag or full id.
///
/// # Errors
/// As [`find`].
pub async fn find_id(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<ObjectId> {
    let (opened, id) = open(ctx, target, name).await?;
    opened.read(move |objects| commit_named(objects, id)).await
}

/// Returns what a commit changed, as `git diff` prints it.
///
/// # Errors
/// As [`find`]; `TooLarge` if it is too much to show.
pub async fn diff(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<Vec<u8>> {
    let (opened, id) = open(ctx, target, name).await?;
    opened
        .read(move |objects| {
            let id = commit_named(objects, id)?;
            let diff = objects.diff_commit(id, &OPTIONS).map_err(fault)?;
            let text = objects.diff_text(&diff, &TEXT_LIMITS, DIGITS, MAX_TEXT).map_err(fault)?;
            if text.is_truncated { Err(too_large()) } else { Ok(text.text) }
        })
        .await
}

/// Returns a commit as a mail, as `git format-patch` writes it.
///
/// # Errors
/// As [`diff`].
pub async fn patch(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<Vec<u8>> {
    let (opened, id) = open(ctx, target, name).await?;
    opened
        .read(move |objects| {
            let id = commit_named(objects, id)?;
            let mail = objects.mail(id, None, &OPTIONS, &TEXT_LIMITS, DIGITS, MAX_TEXT).map_err(fault)?;
            if mail.is_truncated { Err(too_large()) } else { Ok(mail.text) }
        })
        .await
}

async fn open(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<(Opened, ObjectId)> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    opened.require_content()?;
    let id = opened.resolve(Some(name)).await.map_err(|error| no_commit(error, name))?.id;
    Ok((opened, id))
}

fn no_commit(error: Error, name: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::unprocessable(format!("No commit found for SHA: {name}")),
        _ => error,
    }
}

fn commit_named(objects: &mut Objects, id: ObjectId) -> Result<ObjectId> {
    commit_of(objects, id).map_err(|error| no_commit(error, &id.to_string()))
}

/// What GitHub refuses, it refuses with these words.
pub(super) fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, "Sorry, this diff is too large to show")
}
