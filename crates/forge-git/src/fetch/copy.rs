//! A full clone as a copy: maintenance keeps all that the visible refs reach in one pack, which is sent as it lies on disk,
//! followed by what was pushed since.
//!
//! Only the number of objects at its beginning and the checksum at its end differ from the file; they are made on the way.
//! The file is read, not mapped, so that a clone costs the memory of a buffer.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use super::pack::write_after;
use crate::packs::entry::{Checksum, PACK_HEADER, pack_header};
use crate::packs::{Decoder, Pack};
use crate::walk::Missing;
use crate::{Error, Result};

/// How many bytes are read at a time.
const CHUNK: usize = 256 * 1024;

/// A pack to be sent as it lies on disk, and the objects to follow it.
pub(super) struct Copy {
    pack: Arc<Pack>,
    file: File,
    decoder: Decoder,
    beyond: Missing,
}

impl Copy {
    /// Opens the file; `None` if maintenance has replaced it meanwhile.
    pub(super) fn open(pack: Arc<Pack>, decoder: Decoder, beyond: Missing) -> Option<Self> {
        let file = File::open(pack.path()).ok()?;
        Some(Self { pack, file, decoder, beyond })
    }

    /// Is it at most so many bytes, and at most so many objects that are not in the stored pack?
    pub(super) fn at_most(&self, bytes: u64, objects: usize) -> bool {
        self.pack.end() <= bytes && self.beyond.objects.len() <= objects
    }

    /// Writes it all, piece by piece, to `sink`.
    pub(super) fn write(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.beyond.objects.is_empty() {
            return self.copy(u64::MAX, sink).map(drop);
        }
        let more = u32::try_from(self.beyond.objects.len()).ok();
        let count = more
            .and_then(|more| self.pack.len().checked_add(more))
            .ok_or_else(|| Error::TooLarge("a pack has too many objects".into()))?;
        let mut hasher = Checksum::new(self.decoder.set().format());
        let head = pack_header(count);
        hasher.update(&head);
        sink(&head)?;
        self.copy(PACK_HEADER, &mut |_| Ok(()))?;
        let entries = self.pack.end() - PACK_HEADER;
        let copied = self.copy(entries, &mut |bytes| {
            hasher.update(bytes);
            sink(bytes)
        })?;
        if copied != entries {
            return Err(self.pack.broken("the file is cut short"));
        }
        write_after(&self.pack, hasher, &mut self.decoder, &self.beyond, sink)
    }

    /// Reads up to `limit` bytes of the file; returns how many there were.
    fn copy(&mut self, limit: u64, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let mut from = (&self.file).take(limit);
        let mut buffer = vec![0u8; CHUNK];
        let mut total = 0;
        loop {
            let count = from.read(&mut buffer).map_err(|error| self.pack.broken(error))?;
            if count == 0 {
                return Ok(total);
            }
            total += count as u64;
            sink(&buffer[..count])?;
        }
    }
}
