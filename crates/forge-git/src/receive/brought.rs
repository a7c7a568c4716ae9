//! What a push brings, shown object by object to whoever looks for something in it, and where among its files that is.
//!
//! Only the objects of the push are read, so that looking costs as much as the push and not as the repository.

use std::collections::{HashMap, HashSet};

use forge_types::ObjectId;

use super::Quarantine;
use crate::Result;
use crate::objects::{EntryKind, ObjectKind, Objects, from_gix};
use crate::packs::entry::delta_result_size;
use crate::packs::{Decoder, Form, PackSet, Slot};

/// So many directories are gone through to find names: whoever brings more is told ids.
const MAX_TREES: usize = 100_000;

/// Looks at an object: its id, its kind and its bytes.
type Visit<'a> = dyn FnMut(ObjectId, ObjectKind, &[u8]) -> Result<()> + 'a;

impl Quarantine {
    /// Shows each object that came and has at most `limit` bytes, in no order. Some may be among [`Quarantine::former`]: they
    /// complete a pack that left out what the repository has. Ends with the first error of the visitor. Blocks.
    pub fn each_brought(&self, limit: u64, visit: &mut Visit<'_>) -> Result<()> {
        if let Some(taken) = &self.taken {
            for (id, kind, data) in taken.iter().filter(|(.., data)| data.len() as u64 <= limit) {
                visit(id, kind, data)?;
            }
            return Ok(());
        }
        let set = self.own()?;
        let mut slots: Vec<Slot> = Vec::new();
        for slot in set.slots() {
            if size(&set, slot)? <= limit {
                slots.push(slot);
            }
        }
        // In the order in which they lie, what an object is a difference to was read a moment before.
        slots.sort_by_cached_key(|slot| {
            let (pack, position) = set.place(*slot);
            pack.offset_at(position)
        });
        let (mut decoder, mut data) = (Decoder::new(set.clone()), Vec::new());
        for slot in slots {
            let kind = decoder.read_any_size(slot, &mut data)?;
            visit(from_gix(set.id(slot)), kind, &data)?;
        }
        Ok(())
    }

    /// Opens the objects that the repository had before. Blocks.
    pub fn former(&self) -> Result<PackSet> {
        self.packs().open()
    }

    /// Returns by which paths new commits reach these files and directories of theirs, one path each; those that no new commit
    /// reaches, or that are too many to find, are left out. Blocks.
    pub fn paths_to(&self, wanted: &HashSet<ObjectId>) -> Result<HashMap<ObjectId, Vec<u8>>> {
        let (own, mut objects) = (self.own()?, self.objects()?);
        let mut walk = Walk { own: &own, wanted, found: HashMap::new(), seen: HashSet::new() };
        for id in own.slots().map(|slot| from_gix(own.id(slot))) {
            if objects.header(id)?.0 == ObjectKind::Commit {
                let root = objects.commit(id)?.tree_id;
                walk.below(&mut objects, root)?;
            }
            if walk.found.len() == wanted.len() || walk.seen.len() > MAX_TREES {
                break;
            }
        }
        Ok(walk.found)
    }

    fn own(&self) -> Result<PackSet> {
        PackSet::open_directories(self.repository().format(), &[self.pack_directory()])
    }
}

/// Going through the directories that a push brings.
struct Walk<'a> {
    own: &'a PackSet,
    wanted: &'a HashSet<ObjectId>,
    found: HashMap<ObjectId, Vec<u8>>,
    seen: HashSet<ObjectId>,
}

impl Walk<'_> {
    /// Goes through a directory and what is below. What is new can only be in directories that are new.
    fn below(&mut self, objects: &mut Objects, root: ObjectId) -> Result<()> {
        let mut stack = vec![(root, Vec::new())];
        while let Some((tree, path)) = stack.pop() {
            if !self.own.contains(tree) || self.seen.len() > MAX_TREES || !self.seen.insert(tree) {
                continue;
            }
            self.note(tree, &path);
            for entry in objects.tree(tree)? {
                let below =
                    if path.is_empty() { entry.name } else { [&path[..], b"/", &entry.name].concat() };
                match entry.kind {
                    EntryKind::Tree => stack.push((entry.id, below)),
                    _ => self.note(entry.id, &below),
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, id: ObjectId, path: &[u8]) {
        if self.wanted.contains(&id) {
            self.found.entry(id).or_insert_with(|| path.to_vec());
        }
    }
}

fn size(set: &PackSet, slot: Slot) -> Result<u64> {
    let stored = set.stored(slot)?;
    match stored.form {
        Form::Whole(_) => Ok(stored.size),
        Form::Delta(_) => delta_result_size(stored.deflated)
            .ok_or_else(|| crate::Error::Corrupt("a difference that does not read".into())),
    }
}
