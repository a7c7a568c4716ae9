//! Who reaches whom.

use std::collections::BinaryHeap;
use std::rc::Rc;

use super::graph::{Commit, Graph};
use super::slots::{Marks, SlotSet};
use crate::Result;
use crate::packs::Slot;

/// Do the tips reach every one of these commits? Returns one that they do not.
///
/// Walks newest first until all are found. No date ends the walk: clocks are wrong, and a wrong "no" refuses an honest want.
pub(crate) fn reaches_all(graph: &mut Graph, tips: &[Slot], wanted: &[Slot]) -> Result<Option<Slot>> {
    let mut missing: std::collections::HashSet<Slot> = wanted.iter().copied().collect();
    let mut seen = SlotSet::new(graph.set().len());
    let mut queue = BinaryHeap::new();
    for tip in tips {
        if seen.insert(*tip) {
            queue.push((graph.commit(*tip)?.time, *tip));
        }
    }
    while let Some((_, slot)) = queue.pop() {
        missing.remove(&slot);
        if missing.is_empty() {
            return Ok(None);
        }
        for parent in &graph.commit(slot)?.parents {
            if seen.insert(*parent) {
                queue.push((graph.commit(*parent)?.time, *parent));
            }
        }
    }
    Ok(missing.into_iter().next())
}

/// The commit leads to one of those looked for.
const LEADS: u8 = 1;
/// The commit was tried.
const TRIED: u8 = 2;

/// Does each of these commits reach at least one of `targets`? Then the client has a base for everything it wants, and
/// further negotiation would save little. A commit older than all targets is taken to reach none; one among `grafts` has no
/// parents.
pub(crate) fn all_reach_any(
    graph: &mut Graph,
    from: &[Slot],
    targets: &[Slot],
    grafts: &SlotSet,
) -> Result<bool> {
    let mut oldest = i64::MAX;
    let mut marks = Marks::new(graph.set().len());
    for target in targets {
        marks.set(*target, LEADS);
        let commit = graph.commit(*target)?;
        oldest = oldest.min(commit.time);
        // Who has a commit has its parents, unless its history is cut there.
        for parent in commit.parents.iter().filter(|_| !grafts.contains(*target)) {
            marks.set(*parent, LEADS);
        }
    }
    for start in from {
        if !leads(graph, &mut marks, *start, oldest, grafts)? {
            return Ok(false);
        }
    }
    Ok(!targets.is_empty())
}

/// Goes down one path after another; when a path leads to a target, so does every commit on it.
fn leads(graph: &mut Graph, marks: &mut Marks, start: Slot, oldest: i64, grafts: &SlotSet) -> Result<bool> {
    if marks.has(start, LEADS) {
        return Ok(true);
    }
    if !marks.set(start, TRIED) {
        return Ok(false);
    }
    let mut path: Vec<(Slot, Rc<Commit>, usize)> = vec![(start, graph.commit(start)?, 0)];
    while let Some((slot, commit, next)) = path.last_mut() {
        let parents = if grafts.contains(*slot) { &[][..] } else { &commit.parents[..] };
        let Some(parent) = parents.get(*next).copied() else {
            path.pop();
            continue;
        };
        *next += 1;
        if marks.has(parent, LEADS) {
            for (slot, _, _) in &path {
                marks.set(*slot, LEADS);
            }
            return Ok(true);
        }
        if marks.set(parent, TRIED) {
            let commit = graph.commit(parent)?;
            if commit.time >= oldest {
                path.push((parent, commit, 0));
            }
        }
    }
    Ok(false)
}
