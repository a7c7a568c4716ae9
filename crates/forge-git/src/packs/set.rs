//! A fixed list of opened packs, and the numbers of their objects.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use forge_types::{ObjectFormat, ObjectId};

use super::Pack;
use super::pack::{Base, Form, Stored};
use crate::objects::{from_gix, hash_kind, to_gix};
use crate::storage::list;
use crate::{Error, Repository, Result};

/// The number of an object in a [`PackSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The objects of a repository at one moment. Cheap to clone.
#[derive(Clone)]
pub struct PackSet {
    inner: Arc<Inner>,
}

struct Inner {
    format: ObjectFormat,
    packs: Vec<Arc<Pack>>,
    closure: Option<Arc<Pack>>,
    /// The slot of each pack's first object.
    starts: Vec<u32>,
    len: u32,
}

impl std::fmt::Debug for PackSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackSet").field("packs", &self.inner.packs.len()).finish_non_exhaustive()
    }
}

impl PackSet {
    /// Opens every pack in the directory of a repository; one without a directory has no objects. Blocks.
    pub fn open(repository: &Repository) -> Result<Self> {
        Self::open_directories(repository.format(), &[repository.packs()])
    }

    pub(crate) fn open_directories(format: ObjectFormat, directories: &[PathBuf]) -> Result<Self> {
        let open = |path: &Path| Pack::open(path, hash_kind(format)).map(Arc::new);
        Self::new(format, open_listed(directories, open)?, None)
    }

    /// Returns these packs and those that lie in a directory. Blocks.
    pub(crate) fn with_directory(&self, directory: &Path) -> Result<Self> {
        let open = |path: &Path| Pack::open(path, hash_kind(self.format())).map(Arc::new);
        let mut packs = open_listed(&[directory.to_owned()], open)?;
        packs.extend(self.inner.packs.iter().cloned());
        Self::new(self.format(), packs, None)
    }

    /// Makes a set; the packs are put in order of size, because most look-ups end in the largest.
    /// For `closure` see [`Manifest`](super::Manifest).
    pub(crate) fn new(
        format: ObjectFormat,
        mut packs: Vec<Arc<Pack>>,
        closure: Option<Arc<Pack>>,
    ) -> Result<Self> {
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.len()));
        let mut starts = Vec::with_capacity(packs.len());
        let mut len = 0u32;
        for pack in &packs {
            starts.push(len);
            len = len
                .checked_add(pack.len())
                .ok_or_else(|| Error::TooLarge("the repository has too many objects".into()))?;
        }
        Ok(Self { inner: Arc::new(Inner { format, packs, closure, starts, len }) })
    }

    /// Returns the hash function of the objects' names.
    pub fn format(&self) -> ObjectFormat {
        self.inner.format
    }

    /// Returns how many slots there are: at least as many as objects.
    pub(crate) fn len(&self) -> usize {
        self.inner.len as usize
    }

    /// Returns every slot, those of one pack in the order of its index.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        (0..self.inner.len).map(Slot)
    }

    /// Returns the pack that has what the visible refs reached when it was made, if there is one.
    pub(crate) fn closure(&self) -> Option<&Arc<Pack>> {
        self.inner.closure.as_ref()
    }

    /// Is the object there?
    pub fn contains(&self, id: ObjectId) -> bool {
        self.slot(&to_gix(id)).is_some()
    }

    /// Returns the slot of an object.
    pub(crate) fn slot(&self, id: &gix::oid) -> Option<Slot> {
        let mut packs = self.inner.packs.iter().zip(&self.inner.starts);
        packs.find_map(|(pack, start)| pack.position(id).map(|position| Slot(start + position)))
    }

    /// Returns the slot of an object that must be there.
    pub(crate) fn slot_of(&self, id: &gix::oid) -> Result<Slot> {
        self.slot(id).ok_or_else(|| Error::MissingObject(from_gix(id)))
    }

    /// Returns the pack of a slot and the position in its index.
    pub(crate) fn place(&self, slot: Slot) -> (&Arc<Pack>, u32) {
        let at = self.inner.starts.partition_point(|start| *start <= slot.0) - 1;
        (&self.inner.packs[at], slot.0 - self.inner.starts[at])
    }

    /// Returns the name of the object in a slot.
    pub(crate) fn id(&self, slot: Slot) -> &gix::oid {
        let (pack, position) = self.place(slot);
        pack.id_at(position)
    }

    /// Returns the entry of a slot without inflating it.
    pub(crate) fn stored(&self, slot: Slot) -> Result<Stored<'_>> {
        let (pack, position) = self.place(slot);
        pack.stored(position)
    }

    /// Returns the slot of what an entry is a difference to; none for a whole object.
    pub(crate) fn base(&self, slot: Slot, stored: &Stored<'_>) -> Result<Option<Slot>> {
        match stored.form {
            Form::Whole(_) => Ok(None),
            Form::Delta(Base::Named(id)) => self.slot_of(&id).map(Some),
            Form::Delta(Base::At(position)) => {
                let (pack, _) = self.place(slot);
                self.slot_of(pack.id_at(position)).map(Some)
            }
        }
    }
}

/// How often directories are listed again while their packs are being replaced.
const LISTINGS: usize = 10;

/// Opens every pack that lies in some directories.
///
/// Maintenance may remove one between its listing and its opening. Its objects are then in a newer pack, which that listing
/// need not have: the directories are listed again.
pub(super) fn open_listed(
    directories: &[PathBuf],
    open: impl Fn(&Path) -> Result<Arc<Pack>>,
) -> Result<Vec<Arc<Pack>>> {
    for _ in 0..LISTINGS {
        if let Some(packs) = try_open_listed(directories, &open)? {
            return Ok(packs);
        }
    }
    Err(Error::Busy("the packs of the repository change all the time, try again in a moment".into()))
}

/// Returns nothing if a pack vanished meanwhile.
fn try_open_listed(
    directories: &[PathBuf],
    open: &impl Fn(&Path) -> Result<Arc<Pack>>,
) -> Result<Option<Vec<Arc<Pack>>>> {
    let mut packs = Vec::new();
    for directory in directories {
        for path in list(directory)? {
            if path.extension().is_none_or(|found| found != "idx") {
                continue;
            }
            match open(&path) {
                Ok(pack) => packs.push(pack),
                Err(_) if !path.exists() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Some(packs))
}
