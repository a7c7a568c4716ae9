//! Merge bases: the best commits that two histories have in common.

use std::collections::{BinaryHeap, HashMap, HashSet};

use forge_types::ObjectId;

use super::walk::too_long;
use crate::Result;
use crate::objects::{Objects, from_gix};
use crate::packs::Slot;
use crate::walk::Graph;

const OURS: u8 = 1;
const THEIRS: u8 = 2;
const BOTH: u8 = OURS | THEIRS;
/// Reached from a common commit: common too, but not the best.
const STALE: u8 = 4;

/// How many commits older than every candidate are looked at, in case a clock was wrong.
const SLOP: usize = 64;

impl Objects {
    /// Returns all merge bases of two commits as `git merge-base --all`: common ancestors that no other common ancestor
    /// follows, newest first. None if the histories have nothing in common.
    ///
    /// Fails with [`TooLarge`](crate::Error::TooLarge) if more than `max_visited` commits would have to be looked at.
    pub fn merge_bases(
        &mut self,
        ours: ObjectId,
        theirs: ObjectId,
        max_visited: usize,
    ) -> Result<Vec<ObjectId>> {
        let (ours, theirs) = (self.slot(ours)?, self.slot(theirs)?);
        let mut graph = Graph::new(self.set().clone());
        let bases = merge_bases(&mut graph, ours, theirs, max_visited)?;
        Ok(bases.into_iter().map(|slot| from_gix(graph.set().id(slot))).collect())
    }
}

fn merge_bases(graph: &mut Graph, ours: Slot, theirs: Slot, max_visited: usize) -> Result<Vec<Slot>> {
    let mut painted =
        Painted { marks: HashMap::new(), queue: BinaryHeap::new(), fresh: 0, room: max_visited };
    painted.paint(graph, ours, OURS)?;
    painted.paint(graph, theirs, THEIRS)?;
    let mut found = Vec::new();
    while painted.fresh > 0 {
        let Some((_, slot, marks)) = painted.next()? else { break };
        let mut passed_on = marks;
        if marks & (BOTH | STALE) == BOTH {
            found.push(slot);
            passed_on |= STALE;
        }
        for parent in &graph.commit(slot)?.parents {
            painted.paint(graph, *parent, passed_on)?;
        }
    }
    found.retain(|slot| painted.marks[slot].0 & STALE == 0);
    let mut unique = HashSet::new();
    found.retain(|slot| unique.insert(*slot));
    if found.len() > 1 {
        found = without_ancestors(graph, found, painted.room)?;
    }
    let mut dated = Vec::with_capacity(found.len());
    for slot in found {
        dated.push((graph.commit(slot)?.time, slot));
    }
    dated.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    Ok(dated.into_iter().map(|(_, slot)| slot).collect())
}

/// Marks that spread from children to parents, newest first.
struct Painted {
    /// The marks of each commit, and whether it waits in the queue.
    marks: HashMap<Slot, (u8, bool)>,
    queue: BinaryHeap<(i64, Slot)>,
    /// How many commits of the queue are not stale.
    fresh: usize,
    room: usize,
}

impl Painted {
    fn paint(&mut self, graph: &mut Graph, slot: Slot, marks: u8) -> Result<()> {
        let entry = self.marks.entry(slot).or_insert((0, false));
        let before = *entry;
        if before.0 & marks == marks {
            return Ok(());
        }
        *entry = (before.0 | marks, true);
        let was_fresh = before.1 && before.0 & STALE == 0;
        let is_fresh = (before.0 | marks) & STALE == 0;
        self.fresh = self.fresh + usize::from(is_fresh) - usize::from(was_fresh);
        if !before.1 {
            self.queue.push((graph.commit(slot)?.time, slot));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(i64, Slot, u8)>> {
        let Some((time, slot)) = self.queue.pop() else { return Ok(None) };
        self.room = self.room.checked_sub(1).ok_or_else(too_long)?;
        let Some((marks, is_queued)) = self.marks.get_mut(&slot) else { return Ok(None) };
        *is_queued = false;
        self.fresh -= usize::from(*marks & STALE == 0);
        Ok(Some((time, slot, *marks)))
    }
}

/// Drops candidates that another one reaches.
fn without_ancestors(graph: &mut Graph, candidates: Vec<Slot>, mut room: usize) -> Result<Vec<Slot>> {
    let mut oldest = i64::MAX;
    let mut queue = BinaryHeap::new();
    let mut reached = HashSet::new();
    for slot in &candidates {
        let commit = graph.commit(*slot)?;
        oldest = oldest.min(commit.time);
        for parent in &commit.parents {
            if reached.insert(*parent) {
                queue.push((graph.commit(*parent)?.time, *parent));
            }
        }
    }
    let mut slop = SLOP;
    while let Some((time, slot)) = queue.pop() {
        room = room.checked_sub(1).ok_or_else(too_long)?;
        if time < oldest {
            slop -= 1;
            if slop == 0 {
                break;
            }
        }
        for parent in &graph.commit(slot)?.parents {
            if reached.insert(*parent) {
                queue.push((graph.commit(*parent)?.time, *parent));
            }
        }
    }
    Ok(candidates.into_iter().filter(|slot| !reached.contains(slot)).collect())
}
