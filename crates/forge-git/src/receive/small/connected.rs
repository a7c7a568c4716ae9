//! Does everything that new tips reach exist? Told from the objects of the push and from where its commits begin.
//!
//! A directory entry that the push did not bring must be what a parent has in the same place; what the push moved from elsewhere
//! is for `git rev-list` to find. INVARIANT: a "yes" means that every object that the tips reach is in the push or reachable
//! from a commit that the caller vouched for.

use std::collections::{HashMap, HashSet};

use forge_types::ObjectId;

use super::Taken;
use crate::objects::{ObjectKind, Objects, from_gix, hash_kind};
use crate::{Error, Result};

/// What is found out about a push.
struct Proof<'a> {
    taken: &'a Taken,
    objects: &'a mut Objects,
    is_whole: &'a dyn Fn(ObjectId) -> bool,
    /// Commits of the push whose histories are whole.
    commits: HashSet<ObjectId>,
    /// Directories of the push that are whole.
    trees: HashSet<ObjectId>,
    /// Files of the push, and tags, that something points to.
    others: HashSet<ObjectId>,
    /// Directories by what they hold.
    listed: HashMap<ObjectId, std::rc::Rc<Listing>>,
}

type Listing = HashMap<Vec<u8>, (ObjectId, Sort)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Tree,
    Blob,
    Submodule,
}

impl Taken {
    /// Returns what the new commits build on, and those of the tips that are not among the taken objects.
    pub(in crate::receive) fn foundation(&self, tips: &[ObjectId]) -> Vec<ObjectId> {
        let commits = self.objects.values().filter(|object| object.kind == ObjectKind::Commit);
        let parents = commits.filter_map(|commit| links(&commit.data, self)).flat_map(|(_, parents)| parents);
        let outside: HashSet<ObjectId> =
            parents.chain(tips.iter().copied()).filter(|id| !self.objects.contains_key(id)).collect();
        outside.into_iter().collect()
    }

    /// Is everything there that the tips reach, each thing of the kind that it is said to be, and nothing else in the push?
    /// `is_whole` tells of a commit that is not among the taken ones whether all that it reaches is. A "no" may be wrong.
    /// Blocks.
    pub(crate) fn is_connected(
        &self,
        tips: &[ObjectId],
        objects: &mut Objects,
        is_whole: &dyn Fn(ObjectId) -> bool,
    ) -> Result<bool> {
        let mut proof = Proof {
            taken: self,
            objects,
            is_whole,
            commits: HashSet::new(),
            trees: HashSet::new(),
            others: HashSet::new(),
            listed: HashMap::new(),
        };
        for tip in tips {
            if !proof.tip(*tip)? {
                return Ok(false);
            }
        }
        // What nothing points to was looked at by nobody, and a later push may point to it.
        let seen = proof.commits.len() + proof.trees.len() + proof.others.len();
        Ok(seen == self.objects.len())
    }
}

impl Proof<'_> {
    fn tip(&mut self, tip: ObjectId) -> Result<bool> {
        let mut at = tip;
        while let Some(object) = self.taken.objects.get(&at).filter(|object| object.kind == ObjectKind::Tag) {
            let tag = gix::objs::TagRef::from_bytes(&object.data, hash_kind(self.taken.format));
            let Ok(tag) = tag else { return Ok(false) };
            let (said, target) = (ObjectKind::from_gix(tag.target_kind), from_gix(&tag.target()));
            let kind = match self.taken.objects.get(&target) {
                Some(object) => Some(object.kind),
                None => self.objects.header(target).ok().map(|(kind, _)| kind),
            };
            if kind != Some(said) {
                return Ok(false);
            }
            self.others.insert(at);
            at = target;
        }
        match self.taken.objects.get(&at) {
            Some(object) if object.kind == ObjectKind::Commit => self.history(at),
            Some(_) => Ok(false),
            None => Ok((self.is_whole)(at)),
        }
    }

    /// Goes through the new commits, parents first.
    fn history(&mut self, start: ObjectId) -> Result<bool> {
        let mut stack = vec![(start, false)];
        let mut open = HashSet::new();
        while let Some((id, are_parents_done)) = stack.pop() {
            if self.commits.contains(&id) {
                continue;
            }
            let Some(object) = self.taken.objects.get(&id) else {
                if (self.is_whole)(id) {
                    continue;
                }
                return Ok(false);
            };
            if object.kind != ObjectKind::Commit {
                return Ok(false);
            }
            let Some((tree, parents)) = links(&object.data, self.taken) else { return Ok(false) };
            if !are_parents_done {
                if open.insert(id) {
                    stack.push((id, true));
                    stack.extend(parents.into_iter().map(|parent| (parent, false)));
                }
                continue;
            }
            let mut olds = Vec::with_capacity(parents.len());
            for parent in parents {
                let Some(tree) = self.tree_of(parent)? else { return Ok(false) };
                olds.push(tree);
            }
            if !self.tree(tree, &olds)? {
                return Ok(false);
            }
            self.commits.insert(id);
        }
        Ok(true)
    }

    /// Returns the directory of a commit; `None` if it is no commit, which a ref may point to all the same.
    fn tree_of(&mut self, commit: ObjectId) -> Result<Option<ObjectId>> {
        if let Some((tree, _)) =
            self.taken.objects.get(&commit).and_then(|object| links(&object.data, self.taken))
        {
            return Ok(Some(tree));
        }
        match self.objects.commit(commit) {
            Ok(found) => Ok(Some(found.tree_id)),
            Err(Error::WrongKind { .. } | Error::MissingObject(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes through the new directories below one. A list, because directories may be nested deeper than a stack is.
    fn tree(&mut self, top: ObjectId, olds: &[ObjectId]) -> Result<bool> {
        let mut stack = vec![(top, olds.to_vec())];
        let mut proven = Vec::new();
        while let Some((tree, olds)) = stack.pop() {
            if olds.contains(&tree)
                || self.trees.contains(&tree)
                || tree == ObjectId::empty_tree(self.taken.format)
            {
                continue;
            }
            if !self.taken.objects.get(&tree).is_some_and(|object| object.kind == ObjectKind::Tree) {
                return Ok(false);
            }
            let mut old_listings = Vec::with_capacity(olds.len());
            for old in &olds {
                old_listings.push(self.listing(*old)?);
            }
            let listing = self.listing(tree)?;
            for (name, (id, sort)) in listing.iter() {
                let same: Vec<_> = old_listings.iter().filter_map(|old| old.get(name)).collect();
                if *sort == Sort::Submodule
                    || same.iter().any(|(old, old_sort)| old == id && old_sort == sort)
                {
                    continue;
                }
                match sort {
                    Sort::Tree => {
                        let below = same.iter().filter(|(_, sort)| *sort == Sort::Tree).map(|(id, _)| *id);
                        stack.push((*id, below.collect()));
                    }
                    Sort::Blob | Sort::Submodule => {
                        let is_brought =
                            self.taken.objects.get(id).is_some_and(|object| object.kind == ObjectKind::Blob);
                        if !is_brought {
                            return Ok(false);
                        }
                        self.others.insert(*id);
                    }
                }
            }
            proven.push(tree);
        }
        self.trees.extend(proven);
        Ok(true)
    }

    fn listing(&mut self, tree: ObjectId) -> Result<std::rc::Rc<Listing>> {
        if let Some(known) = self.listed.get(&tree) {
            return Ok(std::rc::Rc::clone(known));
        }
        let hash = hash_kind(self.taken.format);
        let stored;
        let data = match self.taken.objects.get(&tree) {
            Some(object) => &object.data,
            None if tree == ObjectId::empty_tree(self.taken.format) => &Vec::new(),
            None => {
                stored = self.objects.read(tree)?.1;
                &stored
            }
        };
        let mut listing = Listing::new();
        for entry in gix::objs::TreeRefIter::from_bytes(data, hash).filter_map(Result::ok) {
            let sort = if entry.mode.is_tree() {
                Sort::Tree
            } else if entry.mode.is_commit() {
                Sort::Submodule
            } else {
                Sort::Blob
            };
            listing.insert(entry.filename.to_vec(), (from_gix(entry.oid), sort));
        }
        let listing = std::rc::Rc::new(listing);
        self.listed.insert(tree, std::rc::Rc::clone(&listing));
        Ok(listing)
    }
}

/// Returns what a commit points to.
fn links(data: &[u8], taken: &Taken) -> Option<(ObjectId, Vec<ObjectId>)> {
    let hash = hash_kind(taken.format);
    let tree = gix::objs::CommitRefIter::from_bytes(data, hash).tree_id().ok()?;
    let parents = gix::objs::CommitRefIter::from_bytes(data, hash).parent_ids();
    Some((from_gix(&tree), parents.map(|parent| from_gix(&parent)).collect()))
}
