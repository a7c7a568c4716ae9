//! Inflating objects of a pack set.

use super::{PackSet, Slot};
use crate::objects::{ObjectKind, from_gix};
use crate::{Error, Result};

/// How many bytes of delta bases are kept, so that objects near one another are cheap.
const BASES: usize = 24 << 20;

/// An object of any other size is for streaming, not for a buffer.
const MAX_OBJECT_BYTES: u64 = 256 << 20;

/// Inflates objects, one after another. For one thread.
pub(crate) struct Decoder {
    set: PackSet,
    inflate: gix::zlib::Inflate,
    bases: gix_pack::cache::lru::MemoryCappedHashmap,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("set", &self.set).finish_non_exhaustive()
    }
}

impl Decoder {
    pub(crate) fn new(set: PackSet) -> Self {
        let bases = gix_pack::cache::lru::MemoryCappedHashmap::new(BASES);
        Self { set, inflate: gix::zlib::Inflate::default(), bases }
    }

    pub(crate) fn set(&self) -> &PackSet {
        &self.set
    }

    /// Returns kind and size of an object; of a delta only the first bytes are inflated.
    pub(crate) fn header(&mut self, slot: Slot) -> Result<(ObjectKind, u64)> {
        let (pack, position) = self.set.place(slot);
        let bundle = pack.bundle();
        let entry = bundle.pack.entry(pack.offset_at(position)).map_err(|error| pack.broken(error))?;
        let resolve = |base: &gix::oid| {
            let entry = pack.position(base).map(|at| bundle.pack.entry(pack.offset_at(at))).transpose()?;
            Ok(entry.map(gix_pack::data::decode::header::ResolvedBase::InPack))
        };
        let header = bundle.pack.decode_header(entry, &mut self.inflate, &resolve);
        let header = header.map_err(|error| pack.broken(error))?;
        Ok((ObjectKind::from_gix(header.kind), header.object_size))
    }

    /// Inflates an object into a buffer, whose former content is lost.
    pub(crate) fn read(&mut self, slot: Slot, data: &mut Vec<u8>) -> Result<ObjectKind> {
        let (_, size) = self.header(slot)?;
        if size > MAX_OBJECT_BYTES {
            let id = from_gix(self.set.id(slot));
            return Err(Error::TooLarge(format!("object {id} has {size} bytes, which is too large to show")));
        }
        self.read_any_size(slot, data)
    }

    /// Inflates an object of a kind that is small in every honest repository, without asking for its size first.
    pub(crate) fn read_any_size(&mut self, slot: Slot, data: &mut Vec<u8>) -> Result<ObjectKind> {
        let (pack, position) = self.set.place(slot);
        let object = pack.bundle().get_object_by_index(position, data, &mut self.inflate, &mut self.bases);
        let (object, _) = object.map_err(|error| pack.broken(error))?;
        Ok(ObjectKind::from_gix(object.kind))
    }
}
