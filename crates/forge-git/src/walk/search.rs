//! Looking for directories, files and tags among what refs reach.

use std::collections::{BinaryHeap, HashSet};

use super::graph::Graph;
use super::slots::SlotSet;
use crate::objects::{ObjectKind, from_gix, hash_kind};
use crate::packs::Slot;
use crate::{Error, Result};

/// What a search came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Everything was found.
    Found,
    /// What the tips reach was seen whole, and this is not among it.
    Absent(gix::ObjectId),
    /// So many directories were read, and these were not found yet.
    Cut(HashSet<gix::ObjectId>),
}

/// Looks for objects among what `tips` reach, those of the newest commits first: what is asked for by name was mostly seen in a
/// recent one. Each directory is read once, at most `max_trees` in all.
pub(crate) fn search(
    graph: &mut Graph,
    tips: &[Slot],
    wanted: HashSet<gix::ObjectId>,
    max_trees: usize,
) -> Result<Search> {
    let seen = SlotSet::new(graph.set().len());
    let mut looking = Looking { graph, wanted, seen, room: max_trees, buffer: Vec::new() };
    let mut queue = BinaryHeap::new();
    for tip in tips {
        let (tags, end, kind) = looking.graph.peel(*tip)?;
        tags.into_iter().for_each(|tag| looking.see(tag));
        match kind {
            ObjectKind::Commit if looking.seen.insert(end) => {
                queue.push((looking.graph.commit(end)?.time, end));
            }
            ObjectKind::Tree if !looking.walk(end)? => return Ok(Search::Cut(looking.wanted)),
            _ => looking.see(end),
        }
    }
    while let Some((_, slot)) = queue.pop() {
        let commit = looking.graph.commit(slot)?;
        looking.see(slot);
        if let Some(tree) = commit.tree
            && !looking.walk(tree)?
        {
            return Ok(Search::Cut(looking.wanted));
        }
        if looking.wanted.is_empty() {
            return Ok(Search::Found);
        }
        for parent in &commit.parents {
            if looking.seen.insert(*parent) {
                queue.push((looking.graph.commit(*parent)?.time, *parent));
            }
        }
    }
    Ok(looking.wanted.into_iter().next().map_or(Search::Found, Search::Absent))
}

struct Looking<'a> {
    graph: &'a mut Graph,
    wanted: HashSet<gix::ObjectId>,
    seen: SlotSet,
    room: usize,
    buffer: Vec<u8>,
}

impl Looking<'_> {
    fn see(&mut self, slot: Slot) {
        let id = self.graph.set().id(slot).to_owned();
        self.wanted.remove(&id);
    }

    /// Looks into a directory and those below it; returns false when no more may be read.
    fn walk(&mut self, root: Slot) -> Result<bool> {
        let mut pending = vec![root];
        while let Some(slot) = pending.pop() {
            if self.wanted.is_empty() || !self.seen.insert(slot) {
                continue;
            }
            let Some(room) = self.room.checked_sub(1) else { return Ok(false) };
            self.room = room;
            self.see(slot);
            self.read(slot, &mut pending)?;
        }
        Ok(true)
    }

    fn read(&mut self, slot: Slot, pending: &mut Vec<Slot>) -> Result<()> {
        let kind = self.graph.decoder().read_any_size(slot, &mut self.buffer)?;
        let set = self.graph.set();
        let id = || from_gix(set.id(slot));
        if kind != ObjectKind::Tree {
            return Err(Error::WrongKind { id: id(), expected: "tree" });
        }
        for entry in gix::objs::TreeRefIter::from_bytes(&self.buffer, hash_kind(set.format())) {
            let entry = entry.map_err(|error| Error::corrupt(format_args!("tree {}", id()), error))?;
            if entry.mode.is_commit() {
                continue;
            }
            if entry.mode.is_tree() {
                pending.extend(set.slot(entry.oid));
            }
            self.wanted.remove(entry.oid);
        }
        Ok(())
    }
}
