//! What a commit brings, for a person who decides about it: nothing of it is left out without being counted.

use forge_git::history::{LogOrder, LogQuery};
use forge_git::objects::{Commit, Objects};
use forge_types::{ObjectId, Result};

use super::changes::{FilePage, OPTIONS, changes};
use super::{ChangedFile, MAX_VISITED};
use crate::git::fault;
use crate::objects::commit_of;

/// So many commits are shown.
const COMMITS: usize = 250;

/// What a commit brings to where there was another, or nothing.
#[derive(Clone, Debug)]
pub struct Brought {
    /// How many commits it brings.
    pub ahead: usize,
    /// How many it lacks.
    pub behind: usize,
    /// The newest of those it brings, oldest first.
    pub commits: Vec<Commit>,
    /// The files that differ from where both went apart, or all if they have nothing in common.
    pub files: Vec<ChangedFile>,
    /// Do more files differ than are shown?
    pub has_more_files: bool,
}

/// Finds what `head` brings to `base`, or to nothing. Blocks.
///
/// # Errors
/// `TooLarge` if the history is too long; `Unavailable` if it cannot be read.
pub(crate) fn brought(objects: &mut Objects, base: Option<ObjectId>, head: ObjectId) -> Result<Brought> {
    let head = commit_of(objects, head)?;
    let base = base.map(|base| commit_of(objects, base)).transpose()?;
    let common = match base {
        Some(base) => objects.merge_bases(base, head, MAX_VISITED).map_err(fault)?.first().copied(),
        None => None,
    };
    let ids = between(objects, base, head)?;
    let behind = base.map(|base| between(objects, Some(head), base)).transpose()?.map_or(0, |ids| ids.len());
    let commits = ids.iter().take(COMMITS).rev().map(|id| objects.commit(*id).map_err(fault));
    let commits = commits.collect::<Result<Vec<Commit>>>()?;
    let old = common.map(|id| objects.commit(id)).transpose().map_err(fault)?.map(|commit| commit.tree_id);
    let new = objects.commit(head).map_err(fault)?.tree_id;
    let diff = objects.diff_trees(old, Some(new), &OPTIONS).map_err(fault)?;
    let shown = changes(objects, &diff, FilePage::new(None))?;
    Ok(Brought {
        ahead: ids.len(),
        behind,
        commits,
        files: shown.files,
        has_more_files: shown.has_next || diff.is_truncated,
    })
}

/// Returns the commits of one side that the other lacks, newest first.
fn between(objects: &mut Objects, hidden: Option<ObjectId>, tip: ObjectId) -> Result<Vec<ObjectId>> {
    let query = LogQuery {
        tips: vec![tip],
        hidden: hidden.into_iter().collect(),
        order: LogOrder::Topological,
        limit: MAX_VISITED,
        max_visited: MAX_VISITED,
        ..LogQuery::default()
    };
    Ok(objects.log(&query).map_err(fault)?.ids)
}
