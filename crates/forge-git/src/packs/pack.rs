//! One opened pack: its index and its data, mapped into memory.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use gix_pack::Bundle;
use gix_pack::data::entry::Header;

use crate::objects::ObjectKind;
use crate::{Error, Result};

/// What reading one object may allocate at once: two results as large as any that is read into memory, and as much of
/// differences. A damaged pack claims anything.
const MAX_ALLOCATION: usize = 3 * (256 << 20);

/// Tells packs apart in caches of decoded objects, across all repositories of this process.
static NEXT_ID: AtomicU32 = AtomicU32::new(0);

/// An opened pack.
pub(crate) struct Pack {
    bundle: Bundle,
    /// Positions in the index, in the order of their entries in the data.
    by_offset: OnceLock<Vec<u32>>,
}

/// An entry as it lies in the pack.
pub(crate) struct Stored<'a> {
    /// What the compressed bytes are.
    pub(crate) form: Form,
    /// How many bytes they inflate to.
    pub(crate) size: u64,
    /// The compressed bytes.
    pub(crate) deflated: &'a [u8],
}

/// Whether an entry is an object or the difference to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object itself.
    Whole(ObjectKind),
    /// What turns another object into this one.
    Delta(Base),
}

/// What a delta is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The object at this position of the same pack's index.
    At(u32),
    /// The object of this name.
    Named(gix::ObjectId),
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack").field("path", &self.bundle.pack.path()).finish_non_exhaustive()
    }
}

impl Pack {
    /// Opens the pack of this index.
    pub(crate) fn open(index: &Path, hash: gix::hash::Kind) -> Result<Self> {
        let mut bundle = Bundle::at(index, hash).map_err(|error| Error::corrupt(index.display(), error))?;
        bundle.pack.id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        bundle.pack.alloc_limit_bytes = Some(MAX_ALLOCATION);
        Ok(Self { bundle, by_offset: OnceLock::new() })
    }

    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Returns how many objects it has.
    pub(crate) fn len(&self) -> u32 {
        self.bundle.index.num_objects()
    }

    /// Returns where an object is in the index.
    pub(crate) fn position(&self, id: &gix::oid) -> Option<u32> {
        self.bundle.index.lookup(id)
    }

    /// Returns the name of the object at a position.
    pub(crate) fn id_at(&self, position: u32) -> &gix::oid {
        self.bundle.index.oid_at_index(position)
    }

    /// Returns where the entry of a position begins in the data.
    pub(crate) fn offset_at(&self, position: u32) -> u64 {
        self.bundle.index.pack_offset_at_index(position)
    }

    /// Returns the data file.
    pub(crate) fn path(&self) -> &Path {
        self.bundle.pack.path()
    }

    /// Returns where the checksum begins, behind the last entry.
    pub(crate) fn end(&self) -> u64 {
        self.bundle.pack.pack_end() as u64
    }

    /// Returns the bytes of the data file between two offsets.
    pub(crate) fn data(&self, from: u64, to: u64) -> Result<&[u8]> {
        self.bundle.pack.entry_slice(from..to).ok_or_else(|| self.broken("an entry lies outside the pack"))
    }

    /// Returns the positions of the index in the order of the data.
    pub(crate) fn by_offset(&self) -> &[u32] {
        self.by_offset.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.len()).collect();
            order.sort_unstable_by_key(|position| self.offset_at(*position));
            order
        })
    }

    /// Returns the entry of a position without inflating it.
    pub(crate) fn stored(&self, position: u32) -> Result<Stored<'_>> {
        let offset = self.offset_at(position);
        let entry = self.bundle.pack.entry(offset).map_err(|error| self.broken(error))?;
        let form = match entry.header {
            Header::OfsDelta { base_distance } => {
                let base = offset
                    .checked_sub(base_distance)
                    .and_then(|offset| self.place_of_offset(offset))
                    .ok_or_else(|| self.broken("a delta without its base"))?;
                Form::Delta(Base::At(self.by_offset()[base]))
            }
            Header::RefDelta { base_id } => Form::Delta(Base::Named(base_id)),
            Header::Commit => Form::Whole(ObjectKind::Commit),
            Header::Tree => Form::Whole(ObjectKind::Tree),
            Header::Blob => Form::Whole(ObjectKind::Blob),
            Header::Tag => Form::Whole(ObjectKind::Tag),
        };
        let deflated = self.data(entry.data_offset, self.end_of(offset)?)?;
        Ok(Stored { form, size: entry.decompressed_size, deflated })
    }

    /// Returns where the entry that begins at an offset ends.
    fn end_of(&self, offset: u64) -> Result<u64> {
        let place = self.place_of_offset(offset).ok_or_else(|| self.broken("an offset of no entry"))?;
        let next = self.by_offset().get(place + 1).map(|position| self.offset_at(*position));
        Ok(next.unwrap_or_else(|| self.end()))
    }

    fn place_of_offset(&self, offset: u64) -> Option<usize> {
        self.by_offset().binary_search_by_key(&offset, |position| self.offset_at(*position)).ok()
    }

    /// Says what is wrong with this pack.
    pub(crate) fn broken(&self, what: impl std::fmt::Display) -> Error {
        Error::corrupt(self.path().display(), what)
    }
}
