//! Where a client's history is cut, and where it will be. See "Shallow" in gitprotocol-v2(5) and `send_shallow_info` of git.

use std::collections::{HashSet, VecDeque};

use super::graph::Graph;
use super::missing::paint;
use super::slots::SlotSet;
use crate::packs::Slot;
use crate::{Error, Result};

/// A client that wants everything asks for this depth.
const INFINITE: u32 = 0x7fff_ffff;

/// How much history a client asks for.
#[derive(Clone, Debug, Default)]
pub(crate) enum Depth {
    /// As much as there is above what it has.
    #[default]
    Whole,
    /// So many commits from each want or, when relative, from where its history is cut now.
    Commits {
        /// How many.
        number: u32,
        /// From where it is cut now?
        is_relative: bool,
    },
    /// What is newer than a time and not reachable from some commits.
    Since {
        /// Seconds since 1970.
        time: Option<i64>,
        /// The commits whose history is left out.
        not: Vec<Slot>,
    },
}

/// How a client's history will be cut.
#[derive(Debug)]
pub(crate) struct Shallow {
    /// Commits that the client is to treat as having no parents.
    pub(crate) cut: Vec<Slot>,
    /// Commits whose parents it gets now.
    pub(crate) uncut: Vec<Slot>,
    /// Commits that have no parents as far as this answer is concerned.
    pub(crate) grafts: SlotSet,
    /// The same one by one.
    pub(crate) grafted: Vec<Slot>,
    /// Commits that are wanted because the client gets parents it was without.
    pub(crate) also_wanted: Vec<Slot>,
}

impl Shallow {
    fn graft(&mut self, slot: Slot) {
        if self.grafts.insert(slot) {
            self.grafted.push(slot);
        }
    }
}

/// Finds where history is to be cut. `client` are the commits at which the client's history is cut now, `tips` those that it
/// may see: what they do not reach is not given to it, whatever it says it was cut at.
pub(crate) fn deepen(
    graph: &mut Graph,
    tips: &[Slot],
    wants: &[Slot],
    client: &[Slot],
    depth: &Depth,
) -> Result<Shallow> {
    let mut result = Shallow {
        cut: Vec::new(),
        uncut: Vec::new(),
        grafts: SlotSet::new(graph.set().len()),
        grafted: Vec::new(),
        also_wanted: Vec::new(),
    };
    let is_client: HashSet<Slot> = client.iter().copied().collect();
    let (cut, whole) = match depth {
        Depth::Whole => (Vec::new(), HashSet::new()),
        Depth::Commits { number: INFINITE, .. } => {
            (Vec::new(), reachable(graph, tips, &is_client)?.into_iter().collect())
        }
        Depth::Commits { number, is_relative: false } => by_number(graph, wants, *number)?,
        Depth::Commits { number, is_relative: true } => {
            let starts = reachable(graph, tips, &is_client)?;
            by_number(graph, &starts, number.saturating_add(1))?
        }
        Depth::Since { time, not } => by_revisions(graph, wants, *time, not)?,
    };
    for slot in cut {
        result.graft(slot);
        if !is_client.contains(&slot) {
            result.cut.push(slot);
        }
    }
    for slot in client {
        result.graft(*slot);
        if whole.contains(slot) {
            result.uncut.push(*slot);
            result.also_wanted.extend_from_slice(&graph.commit(*slot)?.parents);
        }
    }
    Ok(result)
}

/// Cuts at a number of commits from the starts. Returns the commits at the cut, and those before it.
fn by_number(graph: &mut Graph, starts: &[Slot], number: u32) -> Result<(Vec<Slot>, HashSet<Slot>)> {
    let mut seen = SlotSet::new(graph.set().len());
    let mut queue: VecDeque<(Slot, u32)> = VecDeque::new();
    queue.extend(starts.iter().filter(|slot| seen.insert(**slot)).map(|slot| (*slot, 1)));
    let (mut cut, mut whole) = (Vec::new(), HashSet::new());
    while let Some((slot, depth)) = queue.pop_front() {
        if depth >= number {
            cut.push(slot);
            continue;
        }
        whole.insert(slot);
        let commit = graph.commit(slot)?;
        queue.extend(
            commit.parents.iter().filter(|parent| seen.insert(**parent)).map(|parent| (*parent, depth + 1)),
        );
    }
    Ok((cut, whole))
}

/// Returns those of `looked_for` that the starts reach.
fn reachable(graph: &mut Graph, starts: &[Slot], looked_for: &HashSet<Slot>) -> Result<Vec<Slot>> {
    let mut seen = SlotSet::new(graph.set().len());
    let mut stack: Vec<Slot> = starts.to_vec();
    let mut found = Vec::new();
    while let Some(slot) = stack.pop() {
        if !seen.insert(slot) {
            continue;
        }
        if looked_for.contains(&slot) {
            found.push(slot);
            if found.len() == looked_for.len() {
                break;
            }
        }
        stack.extend_from_slice(&graph.commit(slot)?.parents);
    }
    Ok(found)
}

/// Returns the commits that are reached without passing through one older than `time`.
fn newer(graph: &mut Graph, starts: &[Slot], time: i64) -> Result<Vec<Slot>> {
    let mut seen = SlotSet::new(graph.set().len());
    let mut stack: Vec<Slot> = starts.to_vec();
    let mut found = Vec::new();
    while let Some(slot) = stack.pop() {
        let commit = graph.commit(slot)?;
        if commit.time >= time && seen.insert(slot) {
            found.push(slot);
            stack.extend_from_slice(&commit.parents);
        }
    }
    Ok(found)
}

/// Cuts where a time or the history of other commits begins.
fn by_revisions(
    graph: &mut Graph,
    wants: &[Slot],
    time: Option<i64>,
    not: &[Slot],
) -> Result<(Vec<Slot>, HashSet<Slot>)> {
    let chosen = match time {
        Some(time) if not.is_empty() => newer(graph, wants, time)?,
        _ => paint(graph, wants, not, &SlotSet::new(graph.set().len()), time)?,
    };
    if chosen.is_empty() {
        return Err(Error::protocol("no commits selected for shallow requests"));
    }
    let mut whole: HashSet<Slot> = chosen.iter().copied().collect();
    let mut cut = Vec::new();
    for slot in chosen {
        if graph.commit(slot)?.parents.iter().any(|parent| !whole.contains(parent)) {
            cut.push(slot);
        }
    }
    for slot in &cut {
        whole.remove(slot);
    }
    Ok((cut, whole))
}
