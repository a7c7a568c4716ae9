//! Which objects a client lacks.
//!
//! First the commits: newest first from both sides, painting what the client has. Then their directories: each commit is
//! compared with its parents path by path, so that the work follows the size of the change, not of the tree. Where a parent
//! has the same object in the same place, the parent has brought it, or the client has it already.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use super::filter::Filter;
use super::graph::Graph;
use super::slots::{Marks, SlotSet};
use crate::objects::ObjectKind;
use crate::packs::Slot;
use crate::{Error, Result};

/// How many commits are looked at after nothing wanted is in sight, because clocks are wrong.
const SLOP: u32 = 5;

/// How many directories are remembered while commits are compared with their parents.
const TREES: usize = 4096;

/// What a client asks for, and what it has.
pub(crate) struct Wanted<'a> {
    /// The objects it asks for by name.
    pub(crate) wants: &'a [Slot],
    /// Objects that it has, with everything they reach.
    pub(crate) haves: &'a [Slot],
    /// Commits that have no parents here.
    pub(crate) grafts: &'a SlotSet,
    /// What to leave out.
    pub(crate) filter: &'a Filter,
    /// Annotated tags with what they stand for, to be sent when that is.
    pub(crate) tags: &'a [(Slot, Slot)],
    /// More objects than this are not listed.
    pub(crate) limit: usize,
}

/// What a client lacks.
#[derive(Debug)]
pub(crate) struct Missing {
    /// The objects, commits first.
    pub(crate) objects: Vec<Slot>,
    /// The same as a set.
    pub(crate) set: SlotSet,
    /// Some objects that the client has, which a difference may refer to.
    pub(crate) known: SlotSet,
}

/// Lists what the client lacks; `None` if that is more than the limit.
pub(crate) fn find_missing(graph: &mut Graph, wanted: &Wanted<'_>) -> Result<Option<Missing>> {
    let len = graph.set().len();
    let missing = Missing { objects: Vec::new(), set: SlotSet::new(len), known: SlotSet::new(len) };
    let entered = SlotSet::new(len);
    let mut search = Search {
        graph,
        wanted,
        missing,
        trees: HashMap::new(),
        entered,
        depths: HashMap::new(),
        open: Vec::new(),
    };
    match search.run() {
        Ok(()) => Ok(Some(search.missing)),
        Err(Stop::Limit) => Ok(None),
        Err(Stop::Fault(error)) => Err(error),
    }
}

enum Stop {
    Limit,
    Fault(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

struct Search<'a> {
    graph: &'a mut Graph,
    wanted: &'a Wanted<'a>,
    missing: Missing,
    trees: HashMap<Slot, Rc<[Entry]>>,
    /// Directories that were entered.
    entered: SlotSet,
    /// How near to a root each directory was entered, where that matters.
    depths: HashMap<Slot, u32>,
    /// Directories that are still to be entered. A list, because directories may be nested deeper than a stack is.
    open: Vec<Open>,
}

/// A directory to be entered, and the older ones in its place.
struct Open {
    tree: Slot,
    olds: Vec<Old>,
    depth: u32,
}

/// What a directory has under a name. Submodules are left out: their commits lie elsewhere.
struct Entry {
    name: Box<[u8]>,
    is_tree: bool,
    slot: Slot,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        let (commits, trees) = self.peel_wants()?;
        let haves = self.peel_haves()?;
        let commits = paint(self.graph, &commits, &haves, self.wanted.grafts, None)?;
        let is_listed = {
            let mut set = SlotSet::new(self.graph.set().len());
            for slot in &commits {
                set.insert(*slot);
            }
            set
        };
        if self.wanted.filter.admits_kind(ObjectKind::Commit) {
            for slot in &commits {
                self.add(*slot)?;
            }
        }
        for slot in trees {
            self.add(slot)?;
            self.enter(Open { tree: slot, olds: Vec::new(), depth: 0 })?;
        }
        if self.wanted.filter.admits_depth(0) {
            // INVARIANT: a directory that stands in for another is itself listed already, or the client's. Newest first, a
            // change and its revert would each leave the rest to the other.
            for slot in self.parents_first(&commits, &is_listed)? {
                self.directories_of(slot, &is_listed)?;
            }
        }
        self.add_tags(&is_listed)
    }

    /// Orders commits so that each comes behind its parents.
    fn parents_first(&mut self, commits: &[Slot], is_listed: &SlotSet) -> Result<Vec<Slot>> {
        let mut ordered = Vec::with_capacity(commits.len());
        let mut begun = SlotSet::new(self.graph.set().len());
        for start in commits.iter().rev() {
            let mut path = Vec::new();
            if begun.insert(*start) {
                path.push((*start, self.graph.commit(*start)?, 0));
            }
            while let Some((slot, commit, next)) = path.last_mut() {
                let parents = if self.wanted.grafts.contains(*slot) { &[][..] } else { &commit.parents[..] };
                let Some(parent) = parents.get(*next).copied() else {
                    ordered.push(*slot);
                    path.pop();
                    continue;
                };
                *next += 1;
                if is_listed.contains(parent) && begun.insert(parent) {
                    path.push((parent, self.graph.commit(parent)?, 0));
                }
            }
        }
        Ok(ordered)
    }

    /// Lists the tags and blobs among the wants; returns the commits and the trees.
    fn peel_wants(&mut self) -> Result<(Vec<Slot>, Vec<Slot>), Stop> {
        let (mut commits, mut trees) = (Vec::new(), Vec::new());
        for want in self.wanted.wants {
            let (tags, end, kind) = self.graph.peel(*want)?;
            for tag in tags {
                self.add(tag)?;
            }
            match kind {
                ObjectKind::Commit => commits.push(end),
                ObjectKind::Tree => trees.push(end),
                ObjectKind::Blob | ObjectKind::Tag => self.add(end)?,
            }
        }
        Ok((commits, trees))
    }

    fn peel_haves(&mut self) -> Result<Vec<Slot>> {
        let mut commits = Vec::new();
        for have in self.wanted.haves {
            let (tags, end, kind) = self.graph.peel(*have)?;
            for tag in tags {
                self.missing.known.insert(tag);
            }
            self.missing.known.insert(end);
            if kind == ObjectKind::Commit {
                commits.push(end);
            }
        }
        Ok(commits)
    }

    fn add(&mut self, slot: Slot) -> Result<(), Stop> {
        if self.missing.set.insert(slot) {
            if self.missing.objects.len() >= self.wanted.limit {
                return Err(Stop::Limit);
            }
            self.missing.objects.push(slot);
        }
        Ok(())
    }

    /// Lists what a commit's directory has that those of its parents do not have in the same place.
    fn directories_of(&mut self, slot: Slot, is_listed: &SlotSet) -> Result<(), Stop> {
        let commit = self.graph.commit(slot)?;
        let Some(tree) = commit.tree else { return Ok(()) };
        let mut olds = Vec::new();
        if !self.wanted.grafts.contains(slot) {
            for parent in &commit.parents {
                if let Some(old) = self.graph.commit(*parent)?.tree {
                    let is_known = !is_listed.contains(*parent);
                    olds.push(Old { tree: old, is_known });
                }
            }
        }
        if olds.iter().any(|old| old.tree == tree) {
            return Ok(());
        }
        for old in olds.iter().filter(|old| old.is_known) {
            self.missing.known.insert(old.tree);
        }
        self.enter(Open { tree, olds, depth: 0 })
    }

    /// Lists a directory and all that is below it.
    fn enter(&mut self, top: Open) -> Result<(), Stop> {
        self.open.push(top);
        while let Some(open) = self.open.pop() {
            if !self.is_new_here(open.tree, open.depth) {
                continue;
            }
            if self.wanted.filter.admits_kind(ObjectKind::Tree) {
                self.add(open.tree)?;
            }
            if self.wanted.filter.admits_depth(open.depth + 1) {
                self.list(&open)?;
            }
        }
        Ok(())
    }

    /// Is a directory to be entered at this depth?
    fn is_new_here(&mut self, tree: Slot, depth: u32) -> bool {
        let is_new = self.entered.insert(tree);
        if !self.wanted.filter.counts_depth() {
            return is_new;
        }
        let is_nearer = self.depths.get(&tree).is_none_or(|known| depth < *known);
        if is_nearer {
            self.depths.insert(tree, depth);
        }
        is_nearer
    }

    /// Lists what is in a directory and not in the older ones in its place.
    fn list(&mut self, open: &Open) -> Result<(), Stop> {
        let entries = self.tree(open.tree)?;
        let mut olds = Vec::with_capacity(open.olds.len());
        for old in &open.olds {
            olds.push(Places { entries: self.tree(old.tree)?, at: 0, is_known: old.is_known });
        }
        for entry in entries.iter() {
            let same: Vec<(Slot, bool, bool)> = olds
                .iter_mut()
                .filter_map(|old| old.find(entry).map(|found| (found.0, found.1, old.is_known)))
                .collect();
            if same.iter().any(|(slot, _, _)| *slot == entry.slot) {
                continue;
            }
            for (slot, _, _) in same.iter().filter(|(_, _, is_known)| *is_known) {
                self.missing.known.insert(*slot);
            }
            if entry.is_tree {
                let below = same.into_iter().filter(|(_, is_tree, _)| *is_tree);
                let olds = below.map(|(tree, _, is_known)| Old { tree, is_known }).collect();
                self.open.push(Open { tree: entry.slot, olds, depth: open.depth + 1 });
            } else {
                self.blob(entry.slot)?;
            }
        }
        Ok(())
    }

    fn blob(&mut self, slot: Slot) -> Result<(), Stop> {
        if !self.wanted.filter.admits_kind(ObjectKind::Blob) || self.missing.set.contains(slot) {
            return Ok(());
        }
        if let Some(below) = self.wanted.filter.blobs_below()
            && self.graph.decoder().header(slot)?.1 >= below
        {
            return Ok(());
        }
        self.add(slot)
    }

    fn tree(&mut self, slot: Slot) -> Result<Rc<[Entry]>> {
        if let Some(known) = self.trees.get(&slot) {
            return Ok(Rc::clone(known));
        }
        let mut data = Vec::new();
        let kind = self.graph.decoder().read_any_size(slot, &mut data)?;
        let set = self.graph.set();
        let id = || crate::objects::from_gix(set.id(slot));
        if kind != ObjectKind::Tree {
            return Err(Error::WrongKind { id: id(), expected: "tree" });
        }
        let mut entries = Vec::new();
        for entry in gix::objs::TreeRefIter::from_bytes(&data, crate::objects::hash_kind(set.format())) {
            let entry = entry.map_err(|error| Error::corrupt(format_args!("tree {}", id()), error))?;
            if !entry.mode.is_commit() {
                let (name, is_tree) = (entry.filename.to_vec().into_boxed_slice(), entry.mode.is_tree());
                entries.push(Entry { name, is_tree, slot: set.slot_of(entry.oid)? });
            }
        }
        let entries: Rc<[Entry]> = entries.into();
        if self.trees.len() >= TREES {
            self.trees.clear();
        }
        self.trees.insert(slot, Rc::clone(&entries));
        Ok(entries)
    }

    fn add_tags(&mut self, is_listed: &SlotSet) -> Result<(), Stop> {
        for (tag, target) in self.wanted.tags {
            if is_listed.contains(*target) || self.missing.set.contains(*target) {
                let (tags, _, _) = self.graph.peel(*tag)?;
                for tag in tags {
                    self.add(tag)?;
                }
            }
        }
        Ok(())
    }
}

/// A directory that an older commit has in the same place.
struct Old {
    tree: Slot,
    is_known: bool,
}

/// The entries of an older directory, gone through in step with a newer one.
struct Places {
    entries: Rc<[Entry]>,
    at: usize,
    is_known: bool,
}

impl Places {
    /// Returns the object of the same name and sort, and whether it is a directory.
    fn find(&mut self, entry: &Entry) -> Option<(Slot, bool)> {
        while let Some(old) = self.entries.get(self.at) {
            match old.order(entry) {
                Ordering::Less => self.at += 1,
                Ordering::Equal => return Some((old.slot, old.is_tree)),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

impl Entry {
    /// Compares two names as git sorts them: a directory as if its name ended in a slash.
    fn order(&self, other: &Self) -> Ordering {
        let key = |entry: &Self| entry.is_tree.then_some(b'/');
        let (mine, theirs) = (self.name.iter().copied(), other.name.iter().copied());
        mine.chain(key(self)).cmp(theirs.chain(key(other)))
    }
}

const SEEN: u8 = 1;
const HAD: u8 = 2;
const QUEUED: u8 = 4;

/// Returns the commits that `wants` reach and `haves` do not, newest first. Commits older than `since` count as had.
///
/// A commit that both reach may be among them when clocks are wrong; sending it costs little.
pub(crate) fn paint(
    graph: &mut Graph,
    wants: &[Slot],
    haves: &[Slot],
    grafts: &SlotSet,
    since: Option<i64>,
) -> Result<Vec<Slot>> {
    let marks = Marks::new(graph.set().len());
    let mut painter = Painter { graph, grafts, marks, queue: BinaryHeap::new(), open: 0 };
    for have in haves {
        painter.see(*have, true)?;
    }
    for want in wants {
        painter.see(*want, false)?;
    }
    let mut found = Vec::new();
    let (mut slop, mut last) = (SLOP, i64::MAX);
    while let Some((time, slot)) = painter.queue.pop() {
        painter.leave(slot);
        if since.is_some_and(|since| time < since) {
            painter.marks.set(slot, HAD);
        }
        let is_had = painter.marks.has(slot, HAD);
        painter.see_parents(slot, is_had)?;
        if !is_had {
            found.push(slot);
            last = time;
        } else if painter.open > 0 || painter.queue.peek().is_some_and(|(next, _)| *next >= last) {
            slop = SLOP;
        } else {
            slop -= 1;
            if slop == 0 {
                break;
            }
        }
    }
    found.retain(|slot| !painter.marks.has(*slot, HAD));
    Ok(found)
}

struct Painter<'a> {
    graph: &'a mut Graph,
    grafts: &'a SlotSet,
    marks: Marks,
    queue: BinaryHeap<(i64, Slot)>,
    /// How many commits in the queue are not had.
    open: usize,
}

impl Painter<'_> {
    fn see(&mut self, slot: Slot, is_had: bool) -> Result<()> {
        if is_had {
            self.mark_had(slot)?;
        }
        if self.marks.set(slot, SEEN) {
            self.marks.set(slot, QUEUED);
            self.queue.push((self.graph.commit(slot)?.time, slot));
            self.open += usize::from(!self.marks.has(slot, HAD));
        }
        Ok(())
    }

    fn see_parents(&mut self, slot: Slot, is_had: bool) -> Result<()> {
        if self.grafts.contains(slot) {
            return Ok(());
        }
        let commit = self.graph.commit(slot)?;
        for parent in &commit.parents {
            self.see(*parent, is_had)?;
        }
        Ok(())
    }

    /// Takes a commit that was popped out of the count. `QUEUED` stays set only while it is in the queue.
    fn leave(&mut self, slot: Slot) {
        self.open -= usize::from(!self.marks.has(slot, HAD));
        self.marks.clear(slot, QUEUED);
    }

    /// Marks a commit as had, and with it all that were seen below it.
    fn mark_had(&mut self, slot: Slot) -> Result<()> {
        let mut stack = vec![slot];
        while let Some(slot) = stack.pop() {
            if !self.marks.set(slot, HAD) {
                continue;
            }
            self.open -= usize::from(self.marks.has(slot, QUEUED));
            if self.marks.has(slot, SEEN) && !self.grafts.contains(slot) {
                let commit = self.graph.commit(slot)?;
                stack.extend(commit.parents.iter().filter(|parent| self.marks.has(**parent, SEEN)));
            }
        }
        Ok(())
    }
}
