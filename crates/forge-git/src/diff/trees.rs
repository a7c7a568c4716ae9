//! Finding the paths at which two trees differ.

use std::cmp::Ordering;

use forge_types::ObjectId;

use super::{Change, DiffOptions, Side, TreeDiff, renames};
use crate::objects::{EntryKind, Objects, TreeEntry};
use crate::{Error, Result};

/// No honest path is longer.
const MAX_PATH: usize = 16 * 1024;

impl Objects {
    /// Compares two trees; none stands for the empty one.
    pub fn diff_trees(
        &mut self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        options: &DiffOptions,
    ) -> Result<TreeDiff> {
        let mut read = |id| self.tree(id);
        let (changes, is_truncated) = changed_paths(&mut read, old, new, options.changes, options.trees)?;
        let mut diff = TreeDiff { changes, is_truncated, has_unsearched_renames: false };
        if let Some(options) = &options.renames {
            renames::find(self, &mut diff, options)?;
        }
        Ok(diff)
    }

    /// Compares the tree of a commit with that of its first parent, or with the empty one.
    pub fn diff_commit(&mut self, commit_id: ObjectId, options: &DiffOptions) -> Result<TreeDiff> {
        let commit = self.commit(commit_id)?;
        let parent = commit.parent_ids.first().copied();
        let old = parent.map(|parent| self.commit(parent).map(|parent| parent.tree_id)).transpose()?;
        self.diff_trees(old, Some(commit.tree_id), options)
    }
}

/// What is still to be done, last first.
enum Task {
    Report(Change),
    Compare { path: Vec<u8>, old: Option<ObjectId>, new: Option<ObjectId> },
}

/// Returns the first changes between two trees, and whether there are more.
pub(crate) fn changed_paths(
    read: &mut dyn FnMut(ObjectId) -> Result<Vec<TreeEntry>>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    max_changes: usize,
    max_trees: usize,
) -> Result<(Vec<Change>, bool)> {
    let mut changes = Vec::new();
    let mut room = max_trees;
    let mut tasks = vec![Task::Compare { path: Vec::new(), old, new }];
    while let Some(task) = tasks.pop() {
        match task {
            Task::Report(_) if changes.len() >= max_changes => return Ok((changes, true)),
            Task::Report(change) => changes.push(change),
            Task::Compare { old, new, .. } if old == new => {}
            Task::Compare { path, old, new } => {
                room = room.checked_sub(1).ok_or_else(|| {
                    Error::TooLarge("the trees have more directories than are compared".into())
                })?;
                let old = old.map_or(Ok(Vec::new()), &mut *read)?;
                let new = new.map_or(Ok(Vec::new()), &mut *read)?;
                let first = tasks.len();
                compare(&mut tasks, &path, &old, &new)?;
                tasks[first..].reverse();
            }
        }
    }
    Ok((changes, false))
}

/// Compares the entries of two directories.
fn compare(tasks: &mut Vec<Task>, directory: &[u8], old: &[TreeEntry], new: &[TreeEntry]) -> Result<()> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => tree_order(old, new),
        };
        let old = if order.is_le() { old.next() } else { None };
        let new = if order.is_ge() { new.next() } else { None };
        if old.map(|entry| (entry.kind, entry.id)) == new.map(|entry| (entry.kind, entry.id)) {
            continue;
        }
        let Some(entry) = old.or(new) else { continue };
        let path = match directory {
            [] => entry.name.clone(),
            directory => [directory, b"/", &entry.name[..]].concat(),
        };
        if path.len() > MAX_PATH {
            return Err(Error::TooLarge("a path of the trees is too long to compare".into()));
        }
        if entry.kind == EntryKind::Tree {
            tasks.push(Task::Compare {
                path,
                old: old.map(|entry| entry.id),
                new: new.map(|entry| entry.id),
            });
        } else {
            let side = |entry: &TreeEntry| Side { path: path.clone(), kind: entry.kind, id: entry.id };
            tasks.extend(change(old.map(side), new.map(side)).map(Task::Report));
        }
    }
}

/// Git sorts directories as if their names ended with a slash.
fn tree_order(one: &TreeEntry, other: &TreeEntry) -> Ordering {
    let key = |entry: &TreeEntry| (entry.kind == EntryKind::Tree).then_some(b'/');
    one.name.iter().copied().chain(key(one)).cmp(other.name.iter().copied().chain(key(other)))
}

fn change(old: Option<Side>, new: Option<Side>) -> Option<Change> {
    match (old, new) {
        (None, None) => None,
        (None, Some(new)) => Some(Change::Added(new)),
        (Some(old), None) => Some(Change::Deleted(old)),
        (Some(old), Some(new)) if is_same_type(old.kind, new.kind) => Some(Change::Modified { old, new }),
        (Some(old), Some(new)) => Some(Change::TypeChanged { old, new }),
    }
}

/// Are both plain files, both links or both submodules?
pub(super) fn is_same_type(one: EntryKind, other: EntryKind) -> bool {
    one == other || is_file(one) && is_file(other)
}

/// Is it a plain file?
pub(super) fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::File | EntryKind::Executable)
}
