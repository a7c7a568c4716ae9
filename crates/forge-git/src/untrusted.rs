//! Steps that read what strangers send, for whoever tries them with random bytes. No other crate needs them.

use std::path::Path;

use forge_types::{ObjectFormat, ObjectId};

use crate::Result;
use crate::objects::{ObjectKind, Objects};
use crate::packs::{PackSet, Slot};
use crate::receive::small;

/// An object with its name and bytes.
pub type NamedObject = (ObjectId, ObjectKind, Vec<u8>);

/// Is this a full ref name by the rules of gix, which are those of git?
pub fn is_ref_name(name: &[u8]) -> bool {
    gix::validate::reference::name(name.into()).is_ok()
}

/// What a small pack brings.
#[derive(Debug)]
pub struct TakenPack {
    /// Its objects, in no order.
    pub objects: Vec<NamedObject>,
    /// Is everything there that its commits and tags reach, given all that the repository has, and does it bring nothing else?
    pub is_connected: bool,
}

/// Takes a small pack in as a push does, and writes it into the directory. `None` if it is for git to judge. Blocks.
pub fn take_pack(bytes: &[u8], bases: &PackSet, directory: &Path) -> Result<Option<TakenPack>> {
    let Some(taken) = small::take(bytes, bases, directory)? else { return Ok(None) };
    let tips = taken.tips();
    let mut objects = Objects::of(bases.clone());
    let is_connected = taken.is_connected(&tips, &mut objects, &|id| bases.contains(id))?;
    Ok(Some(TakenPack { objects: taken.into_objects(), is_connected }))
}

/// Opens the packs of a directory.
pub fn open_packs(format: ObjectFormat, directory: &Path) -> Result<PackSet> {
    PackSet::open_directories(format, &[directory.to_owned()])
}

/// Reads every object of a set, in the order of its names.
pub fn read_all(set: &PackSet) -> impl Iterator<Item = Result<NamedObject>> {
    let mut objects = Objects::of(set.clone());
    let slots: Vec<Slot> = set.slots().collect();
    slots.into_iter().map(move |slot| {
        let id = crate::objects::from_gix(objects.set().id(slot));
        objects.header(id)?;
        let stored = objects.set().stored(slot)?;
        objects.set().base(slot, &stored)?;
        let mut data = Vec::new();
        let kind = objects.read_slot(slot, &mut data)?;
        Ok((id, kind, data))
    })
}
