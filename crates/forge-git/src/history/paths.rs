//! What a tree has at some paths, remembered for every directory that was read.

use std::collections::HashMap;

use forge_types::ObjectId;

use crate::Result;
use crate::objects::{EntryKind, Objects, from_gix};
use crate::packs::Slot;

/// How many directories are remembered.
const CAPACITY: usize = 1 << 16;

/// What is at a path.
type At = Option<(EntryKind, ObjectId)>;

/// Paths to look up in one tree after another.
#[derive(Debug)]
pub(super) struct Paths {
    /// The names of each path.
    paths: Vec<Vec<Vec<u8>>>,
    known: HashMap<(ObjectId, usize, usize), At>,
}

impl Paths {
    pub(super) fn new(paths: &[Vec<u8>]) -> Self {
        let names = |path: &Vec<u8>| -> Vec<Vec<u8>> {
            path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
        };
        let mut paths: Vec<_> = paths.iter().map(names).collect();
        if paths.iter().any(Vec::is_empty) {
            paths.clear();
        }
        Self { paths, known: HashMap::new() }
    }

    /// Is no path named, or the root directory?
    pub(super) fn are_all(&self) -> bool {
        self.paths.is_empty()
    }

    /// Returns what is at each path of a tree.
    pub(super) fn at(&mut self, objects: &mut Objects, tree: Option<Slot>) -> Result<Vec<At>> {
        let Some(tree) = tree else { return Ok(vec![None; self.paths.len()]) };
        let root = from_gix(objects.set().id(tree));
        (0..self.paths.len()).map(|path| self.look_up(objects, root, path)).collect()
    }

    fn look_up(&mut self, objects: &mut Objects, root: ObjectId, path: usize) -> Result<At> {
        let mut found = (EntryKind::Tree, root);
        for depth in 0..self.paths[path].len() {
            if found.0 != EntryKind::Tree {
                return Ok(None);
            }
            let key = (found.1, path, depth);
            let next = match self.known.get(&key) {
                Some(known) => *known,
                None => {
                    let name = &self.paths[path][depth];
                    let next = objects.child(found.1, name)?.map(|entry| (entry.kind, entry.id));
                    if self.known.len() >= CAPACITY {
                        self.known.clear();
                    }
                    self.known.insert(key, next);
                    next
                }
            };
            let Some(next) = next else { return Ok(None) };
            found = next;
        }
        Ok(Some(found))
    }
}
