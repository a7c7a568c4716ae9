//! Questions about history that need no more than commits and their parents.

use std::collections::{BinaryHeap, HashSet};

use forge_types::ObjectId;

use super::{Objects, from_gix, hash_kind};
use crate::{Error, Result};

impl Objects {
    /// Is `ancestor` reachable from `descendant` by following parents? A commit is its own ancestor.
    ///
    /// Walks newest first, so that the ordinary push is answered after a step or two. No date ends the walk early: clocks
    /// are wrong, and a wrong "no" would call an honest push forced.
    pub fn is_ancestor(&mut self, ancestor: ObjectId, descendant: ObjectId) -> Result<bool> {
        let mut seen = HashSet::from([descendant]);
        let (seconds, parents) = self.links(descendant)?;
        let mut queue = BinaryHeap::from([(seconds, descendant, parents)]);
        while let Some((_, id, parents)) = queue.pop() {
            if id == ancestor || parents.contains(&ancestor) {
                return Ok(true);
            }
            for parent in parents {
                if seen.insert(parent) {
                    let (seconds, grandparents) = self.links(parent)?;
                    queue.push((seconds, parent, grandparents));
                }
            }
        }
        Ok(false)
    }

    /// Returns committer time and parents of a commit.
    fn links(&mut self, id: ObjectId) -> Result<(i64, Vec<ObjectId>)> {
        let (kind, data) = self.read(id)?;
        if kind != super::ObjectKind::Commit {
            return Err(Error::WrongKind { id, expected: "commit" });
        }
        let commit = gix::objs::CommitRefIter::from_bytes(&data, hash_kind(id.format()));
        let parents = commit.parent_ids().map(|parent| from_gix(&parent)).collect();
        let commit = gix::objs::CommitRefIter::from_bytes(&data, hash_kind(id.format()));
        let seconds = commit.committer().map_or(0, |signature| signature.seconds());
        Ok((seconds, parents))
    }
}
