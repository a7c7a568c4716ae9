//! Commits put so that none comes before one that follows it, and branches are not mixed.

use std::collections::HashMap;

use super::walk::Walk;
use crate::Result;
use crate::packs::Slot;

/// Puts commits, newest first, in topological order: the next commit is the parent of the last one, when it may be.
pub(super) fn in_topological_order(walk: &mut Walk<'_>, commits: &[Slot]) -> Result<Vec<Slot>> {
    let mut waiting: HashMap<Slot, usize> = commits.iter().map(|slot| (*slot, 0)).collect();
    for slot in commits {
        for parent in walk.parents(*slot)? {
            if let Some(children) = waiting.get_mut(&parent) {
                *children += 1;
            }
        }
    }
    let mut ready: Vec<Slot> = commits.iter().rev().copied().filter(|slot| waiting[slot] == 0).collect();
    let mut ordered = Vec::with_capacity(commits.len());
    while let Some(slot) = ready.pop() {
        for parent in walk.parents(slot)? {
            if let Some(children) = waiting.get_mut(&parent) {
                *children -= 1;
                if *children == 0 {
                    ready.push(parent);
                }
            }
        }
        ordered.push(slot);
    }
    Ok(ordered)
}
