//! The walk behind every log: newest first, hiding what excluded commits reach.
//!
//! When hidden commits alone are left, the walk goes a few steps on before it believes that nothing shown is reached by one
//! of them: see "SLOP" of git's revision walk, which errs in the same way when clocks are wrong.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::paths::Paths;
use crate::objects::Objects;
use crate::packs::Slot;
use crate::walk::Graph;
use crate::{Error, Result};

/// How many steps the walk goes on when only hidden commits are left.
const SLOP: usize = 5;

const HIDDEN: u8 = 1;
/// Named as hidden: the border of what is shown, so that comparing with it says something.
const BORDER: u8 = 2;
/// Waits in the queue.
const QUEUED: u8 = 4;
/// Changes none of the paths.
const SAME: u8 = 8;
/// Was queued before.
const SEEN: u8 = 16;
/// Was read, so that what hides it hides its parents at once.
const READ: u8 = 32;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A commit that is not hidden, so far.
    Shown(Slot),
    /// A commit that is not to be shown.
    Passed,
    /// There are no more commits.
    End,
}

/// A walk in progress.
pub(super) struct Walk<'a> {
    pub(super) graph: Graph,
    pub(super) objects: &'a mut Objects,
    paths: Paths,
    since: Option<i64>,
    is_first_parent: bool,
    marks: HashMap<Slot, u8>,
    /// Newest first; of equal times the one that came first.
    queue: BinaryHeap<(i64, Reverse<u64>, Slot)>,
    queued: u64,
    /// How many commits of the queue are not hidden.
    shown_in_queue: usize,
    oldest_shown: i64,
    slop: usize,
    /// The parent that simplification left, where it took the others away.
    simplified: HashMap<Slot, Slot>,
    room: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(objects: &'a mut Objects, query: &super::LogQuery) -> Result<Self> {
        let graph = Graph::new(objects.set().clone());
        let mut walk = Self {
            graph,
            objects,
            paths: Paths::new(&query.paths),
            since: query.since,
            is_first_parent: query.first_parent,
            marks: HashMap::new(),
            queue: BinaryHeap::new(),
            queued: 0,
            shown_in_queue: 0,
            oldest_shown: i64::MAX,
            slop: SLOP,
            simplified: HashMap::new(),
            room: query.max_visited,
        };
        let slots = |objects: &Objects, ids: &[forge_types::ObjectId]| -> Result<Vec<Slot>> {
            ids.iter().map(|id| objects.slot(*id)).collect()
        };
        let (tips, hidden) = (slots(walk.objects, &query.tips)?, slots(walk.objects, &query.hidden)?);
        for slot in &hidden {
            *walk.marks.entry(*slot).or_default() |= HIDDEN | BORDER;
        }
        for slot in &hidden {
            walk.hide_parents(*slot)?;
        }
        for slot in tips.into_iter().chain(hidden) {
            walk.push(slot)?;
        }
        Ok(walk)
    }

    /// Takes all commits, in the order in which they were met; those that turned out to be hidden are left out.
    ///
    /// Fails with [`TooLarge`](crate::Error::TooLarge) if more would have to be looked at than may be.
    pub(super) fn all_shown(&mut self) -> Result<Vec<Slot>> {
        let mut shown = Vec::new();
        loop {
            match self.step()?.ok_or_else(too_long)? {
                Step::Shown(slot) => shown.push(slot),
                Step::Passed => {}
                Step::End => break,
            }
        }
        shown.retain(|slot| !self.is_hidden(*slot));
        Ok(shown)
    }

    /// Takes the next commit. `None` if no more may be looked at.
    pub(super) fn step(&mut self) -> Result<Option<Step>> {
        let Some((time, _, slot)) = self.queue.pop() else { return Ok(Some(Step::End)) };
        let Some(room) = self.room.checked_sub(1) else { return Ok(None) };
        self.room = room;
        let marks = self.marks.entry(slot).or_default();
        *marks &= !QUEUED;
        self.shown_in_queue -= usize::from(*marks & HIDDEN == 0);
        if self.since.is_some_and(|since| time < since) {
            *marks |= HIDDEN;
        }
        if *marks & HIDDEN != 0 {
            self.pass(slot)?;
            return Ok(Some(if self.is_over() { Step::End } else { Step::Passed }));
        }
        let parents = self.simplify(slot)?;
        for parent in parents.iter().take(if self.is_first_parent { 1 } else { usize::MAX }) {
            self.push(*parent)?;
        }
        self.oldest_shown = self.oldest_shown.min(time);
        Ok(Some(Step::Shown(slot)))
    }

    pub(super) fn is_hidden(&self, slot: Slot) -> bool {
        self.has(slot, HIDDEN)
    }

    /// Does a commit that was walked over leave all paths as they are?
    pub(super) fn is_same(&self, slot: Slot) -> bool {
        self.has(slot, SAME)
    }

    /// Returns the parents that simplification left.
    pub(super) fn parents(&mut self, slot: Slot) -> Result<Vec<Slot>> {
        match self.simplified.get(&slot) {
            Some(parent) => Ok(vec![*parent]),
            None => Ok(self.graph.commit(slot)?.parents.clone()),
        }
    }

    fn has(&self, slot: Slot, mark: u8) -> bool {
        self.marks.get(&slot).is_some_and(|marks| marks & mark != 0)
    }

    /// Queues a commit, the first time it is met.
    fn push(&mut self, slot: Slot) -> Result<()> {
        let time = self.graph.commit(slot)?.time;
        let marks = self.marks.entry(slot).or_default();
        if *marks & SEEN != 0 {
            return Ok(());
        }
        *marks |= SEEN | READ | QUEUED;
        self.shown_in_queue += usize::from(*marks & HIDDEN == 0);
        self.queue.push((time, Reverse(self.queued), slot));
        self.queued += 1;
        Ok(())
    }

    /// Walks on from a hidden commit.
    fn pass(&mut self, slot: Slot) -> Result<()> {
        self.hide_parents(slot)?;
        let parents = self.graph.commit(slot)?.parents.clone();
        for parent in parents {
            self.hide_parents(parent)?;
            self.push(parent)?;
        }
        Ok(())
    }

    /// Hides what a hidden commit reaches, as far as it was read.
    fn hide_parents(&mut self, slot: Slot) -> Result<()> {
        let mut pending = self.graph.commit(slot)?.parents.clone();
        while let Some(slot) = pending.pop() {
            let marks = self.marks.entry(slot).or_default();
            if *marks & HIDDEN != 0 {
                continue;
            }
            *marks |= HIDDEN;
            self.shown_in_queue -= usize::from(*marks & QUEUED != 0);
            if *marks & READ != 0 {
                pending.extend(self.graph.commit(slot)?.parents.iter().copied());
            }
        }
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        let Some((newest, ..)) = self.queue.peek() else { return true };
        if self.oldest_shown <= *newest || self.shown_in_queue > 0 {
            self.slop = SLOP;
        } else {
            self.slop -= 1;
        }
        self.slop == 0
    }

    /// Compares a commit with its parents at the paths, and returns the parents to follow.
    fn simplify(&mut self, slot: Slot) -> Result<Vec<Slot>> {
        let commit = self.graph.commit(slot)?;
        if self.paths.are_all() {
            return Ok(commit.parents.clone());
        }
        let ours = self.paths.at(self.objects, commit.tree)?;
        if commit.parents.is_empty() && ours.iter().all(Option::is_none) {
            *self.marks.entry(slot).or_default() |= SAME;
        }
        let (mut relevant, mut has_relevant_change, mut has_other_change) = (0, false, false);
        for (at, parent) in commit.parents.iter().enumerate() {
            let is_relevant = !self.is_hidden(*parent) || self.has(*parent, BORDER);
            relevant += usize::from(is_relevant);
            if at == 1 && self.is_first_parent {
                break;
            }
            *self.marks.entry(*parent).or_default() |= READ;
            let tree = self.graph.commit(*parent)?.tree;
            let is_same = self.paths.at(self.objects, tree)? == ours;
            if is_same && is_relevant {
                *self.marks.entry(slot).or_default() |= SAME;
                self.simplified.insert(slot, *parent);
                return Ok(vec![*parent]);
            }
            if !is_same {
                *if is_relevant { &mut has_relevant_change } else { &mut has_other_change } = true;
            }
        }
        let is_changed = if relevant > 0 { has_relevant_change } else { has_other_change };
        if !commit.parents.is_empty() && !is_changed {
            *self.marks.entry(slot).or_default() |= SAME;
        }
        Ok(commit.parents.clone())
    }
}

/// Says that a walk that needs its end did not reach it.
pub(super) fn too_long() -> Error {
    Error::TooLarge("there is more history between these commits than is looked at".into())
}
