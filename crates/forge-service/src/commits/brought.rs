//! What commits bring or take away, for a person who decides about it: nothing is left out without being counted.

use forge_git::history::{LogOrder, LogQuery};
use forge_git::objects::{Commit, Objects};
use forge_types::{ObjectId, Result};

use super::changes::{FilePage, OPTIONS, changes};
use super::{ChangedFile, MAX_VISITED, Stats};
use crate::git::fault;

/// So many commits are listed.
const COMMITS: usize = 250;

/// Where workflows lie. File systems that do not tell case apart find them under other names, too.
const WORKFLOWS: &[u8] = b".github/workflows/";

/// Commits, counted whole.
#[derive(Clone, Debug, Default)]
pub struct ListedCommits {
    /// How many there are.
    pub count: usize,
    /// The newest of them, oldest first.
    pub commits: Vec<Commit>,
}

/// The files that differ between two commits.
#[derive(Clone, Debug, Default)]
pub struct ChangedFiles {
    /// The first of them.
    pub files: Vec<ChangedFile>,
    /// How many there are.
    pub count: usize,
    /// Are there more than were counted?
    pub is_cut: bool,
    /// How many lines differ in those that were counted.
    pub stats: Stats,
    /// Is one of them a workflow, before or after?
    pub touches_workflows: bool,
}

/// Lists the commits that `tip` reaches and none of `hidden` does. All are commits. Blocks.
///
/// # Errors
/// `TooLarge` if the history is too long; `Unavailable` if it cannot be read.
pub(crate) fn commits_beyond(
    objects: &mut Objects,
    tip: ObjectId,
    hidden: Vec<ObjectId>,
) -> Result<ListedCommits> {
    let query = LogQuery {
        tips: vec![tip],
        hidden,
        order: LogOrder::Topological,
        limit: MAX_VISITED,
        max_visited: MAX_VISITED,
        ..LogQuery::default()
    };
    let ids = objects.log(&query).map_err(fault)?.ids;
    let commits = ids.iter().take(COMMITS).rev().map(|id| objects.commit(*id).map_err(fault));
    Ok(ListedCommits { count: ids.len(), commits: commits.collect::<Result<_>>()? })
}

/// Compares the files of two commits; none stands for nothing. Blocks.
///
/// # Errors
/// `TooLarge` if there is too much of them; `Unavailable` if they cannot be read.
pub(crate) fn changed_files(
    objects: &mut Objects,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<ChangedFiles> {
    let mut tree = |id: Option<ObjectId>| -> Result<Option<ObjectId>> {
        Ok(id.map(|id| objects.commit(id)).transpose().map_err(fault)?.map(|commit| commit.tree_id))
    };
    let (old, new) = (tree(old)?, tree(new)?);
    let diff = objects.diff_trees(old, new, &OPTIONS).map_err(fault)?;
    let is_workflow =
        |path: &[u8]| path.get(..WORKFLOWS.len()).is_some_and(|start| start.eq_ignore_ascii_case(WORKFLOWS));
    let touches_workflows = diff.changes.iter().any(|change| {
        [change.before(), change.after()].into_iter().flatten().any(|side| is_workflow(&side.path))
    });
    let shown = changes(objects, &diff, FilePage::new(None))?;
    Ok(ChangedFiles {
        files: shown.files,
        count: diff.changes.len(),
        is_cut: diff.is_truncated,
        stats: shown.stats,
        touches_workflows,
    })
}
