//! Taking in a small pack without a process.
//!
//! Nearly every push brings a few objects. Here its pack is read into memory, its differences are resolved, its objects are
//! looked over, and pack and index are written. INVARIANT: what is taken in and found connected here is accepted by `git
//! index-pack --strict` and `git rev-list` too. Whatever is large, unusual or wrong is left to them: they have the last word, and the words for people.

mod apply;
mod clean;
mod connected;
mod index;
mod read;

use std::collections::HashMap;
use std::path::Path;

use forge_types::{ObjectFormat, ObjectId};

use crate::Result;
use crate::objects::{ObjectKind, Objects};
use crate::packs::PackSet;

pub(crate) use index::{IndexEntry, PACK, write_index};

/// Packs of more bytes are left to git.
pub(super) const MAX_PACK: usize = 1 << 20;

/// Packs of more objects are left to git.
const MAX_OBJECTS: u32 = 4096;

/// Packs whose objects have more bytes are left to git.
const MAX_INFLATED: usize = 32 << 20;

/// An object of the pack, in memory.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) data: Vec<u8>,
}

/// The objects that a push brought.
#[derive(Debug)]
pub(crate) struct Taken {
    format: ObjectFormat,
    objects: HashMap<ObjectId, Object>,
}

impl Taken {
    /// Returns the names of commits and tags, in no order.
    pub(crate) fn tips(&self) -> Vec<ObjectId> {
        let is_tip = |object: &Object| matches!(object.kind, ObjectKind::Commit | ObjectKind::Tag);
        self.objects.iter().filter(|(_, object)| is_tip(object)).map(|(id, _)| *id).collect()
    }

    /// Shows the objects, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ObjectId, ObjectKind, &[u8])> {
        self.objects.iter().map(|(id, object)| (*id, object.kind, object.data.as_slice()))
    }

    /// Returns the objects, in no order.
    pub(crate) fn into_objects(self) -> Vec<(ObjectId, ObjectKind, Vec<u8>)> {
        self.objects.into_iter().map(|(id, object)| (id, object.kind, object.data)).collect()
    }
}

/// Takes a pack in: writes it with its index into the directory. `None` if it is for git to judge; then nothing was written.
/// Blocks.
pub(crate) fn take(bytes: &[u8], bases: &PackSet, directory: &Path) -> Result<Option<Taken>> {
    let Some(pack) = read::read(bytes, bases)? else { return Ok(None) };
    let mut objects = Objects::of(bases.clone());
    let mut blob = |id: &[u8]| {
        let id = ObjectId::from_bytes(id).ok()?;
        match pack.objects.get(&id) {
            Some(object) => (object.kind == ObjectKind::Blob).then(|| object.data.clone()),
            None => objects.blob(id, MAX_PACK as u64).ok(),
        }
    };
    if !pack.objects.values().all(|object| clean::is_clean(object, bases.format(), &mut blob)) {
        return Ok(None);
    }
    write_index(&pack.bytes, &pack.entries, bases.format(), directory)?;
    Ok(Some(Taken { format: bases.format(), objects: pack.objects }))
}
