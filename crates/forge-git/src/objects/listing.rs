//! Finding and listing what a tree holds, across directories.
//!
//! INVARIANT: what is kept in memory never exceeds the limits by more than one directory. A few small trees can name one
//! another so often that a full listing would fill any disk, so a listing is cut and says so.

use std::collections::VecDeque;

use forge_types::ObjectId;

use super::{EntryKind, Objects, TreeEntry};
use crate::Result;

/// Something in a tree, with its path from the tree that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEntry {
    /// The path: names with slashes between them, in no particular encoding.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// The object it names.
    pub id: ObjectId,
}

/// How much a listing may hold.
#[derive(Clone, Copy, Debug)]
pub struct ListingLimits {
    /// How many entries.
    pub entries: usize,
    /// How many bytes all paths together.
    pub bytes: usize,
}

/// What a tree and the trees below it hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The entries, directories before what is in them, in the order of `git ls-tree -r -t`.
    pub entries: Vec<PathEntry>,
    /// Is there more than the limits allow?
    pub is_truncated: bool,
}

impl Objects {
    /// Finds what is at a path of a tree; the empty path is the tree itself. `None` if there is nothing. Empty names in the
    /// path are skipped; links are not followed.
    pub fn entry_in(&mut self, tree_id: ObjectId, path: &[u8]) -> Result<Option<TreeEntry>> {
        let mut found = TreeEntry { name: Vec::new(), kind: EntryKind::Tree, id: tree_id };
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            if found.kind != EntryKind::Tree {
                return Ok(None);
            }
            match self.child(found.id, name)? {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// Lists a tree and all trees below it.
    pub fn list(&mut self, tree_id: ObjectId, limits: ListingLimits) -> Result<Listing> {
        let mut pending = Pending { entries: VecDeque::new(), bytes: 0, limits, is_truncated: false };
        let mut entries: Vec<PathEntry> = Vec::new();
        let root = self.tree(tree_id)?;
        pending.push(b"", root, 0);
        while let Some(entry) = pending.entries.pop_front() {
            if entry.kind == EntryKind::Tree {
                let inside = self.tree(entry.id)?;
                pending.push(&entry.path, inside, entries.len() + 1);
            }
            entries.push(entry);
        }
        Ok(Listing { entries, is_truncated: pending.is_truncated })
    }
}

/// What is still to be listed, in order.
struct Pending {
    entries: VecDeque<PathEntry>,
    /// Of the paths of all entries, listed or not.
    bytes: usize,
    limits: ListingLimits,
    is_truncated: bool,
}

impl Pending {
    /// Adds the entries of a directory before all others, and drops the last ones if there are too many.
    fn push(&mut self, directory: &[u8], inside: Vec<TreeEntry>, listed: usize) {
        for entry in inside.into_iter().rev() {
            let path = match directory {
                [] => entry.name,
                directory => [directory, b"/", &entry.name[..]].concat(),
            };
            self.bytes += path.len();
            self.entries.push_front(PathEntry { path, kind: entry.kind, id: entry.id });
            self.shrink(listed);
        }
    }

    fn shrink(&mut self, listed: usize) {
        while self.entries.len() + listed > self.limits.entries || self.bytes > self.limits.bytes {
            let Some(last) = self.entries.pop_back() else { return };
            self.bytes -= last.path.len();
            self.is_truncated = true;
        }
    }
}
