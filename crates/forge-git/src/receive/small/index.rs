//! Writing a pack's index. See gitformat-pack(5), "Version 2 pack-*.idx files".

use std::path::Path;

use forge_types::{ObjectFormat, ObjectId};

use crate::packs::entry::Checksum;
use crate::{Error, Result};

/// What a pack is called before it has a name.
pub(crate) const PACK: &str = "small.pack";

/// Where an object is in a pack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexEntry {
    id: ObjectId,
    offset: u64,
    crc: u32,
}

impl IndexEntry {
    /// Returns the entry of an object whose bytes in the pack these are.
    pub(crate) fn new(id: ObjectId, offset: u64, bytes: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        Self { id, offset, crc: crc.sum() }
    }
}

/// Writes a pack of less than 2 GiB with its index into a directory. Nothing is synced.
pub(crate) fn write_index(
    pack: &[u8],
    entries: &[IndexEntry],
    format: ObjectFormat,
    directory: &Path,
) -> Result<()> {
    let mut entries = entries.to_vec();
    entries.sort_by_key(|entry| entry.id);
    let mut index = Vec::with_capacity(1100 + entries.len() * (format.raw_len() + 8));
    index.extend_from_slice(b"\xfftOc\0\0\0\x02");
    let mut at = 0;
    for first in 0..=255u8 {
        while entries.get(at).is_some_and(|entry| entry.id.as_bytes()[0] <= first) {
            at += 1;
        }
        index.extend_from_slice(&number(at as u64)?.to_be_bytes());
    }
    for entry in &entries {
        index.extend_from_slice(entry.id.as_bytes());
    }
    for entry in &entries {
        index.extend_from_slice(&entry.crc.to_be_bytes());
    }
    for entry in &entries {
        index.extend_from_slice(&number(entry.offset)?.to_be_bytes());
    }
    index.extend_from_slice(&pack[pack.len() - format.raw_len()..]);
    let mut hash = Checksum::new(format);
    hash.update(&index);
    index.extend_from_slice(&hash.finish());
    for (name, bytes) in [(PACK, pack), ("small.idx", &index[..])] {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(Error::io(format!("write {}", path.display())))?;
    }
    Ok(())
}

fn number(value: u64) -> Result<u32> {
    u32::try_from(value)
        .ok()
        .filter(|value| *value < 1 << 31)
        .ok_or_else(|| Error::TooLarge("the pack is too large for a small index".into()))
}
