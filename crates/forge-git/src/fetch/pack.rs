//! Writing a pack of chosen objects.
//!
//! What lies in the repository's packs is copied as it is wherever the client can read it: whole objects, and differences to
//! objects that the same pack has or, in a thin pack, that the client has. All else is inflated and written whole.
//! A base goes before what builds on it.

use std::collections::HashMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::packs::entry::{
    Checksum, OFS_DELTA, REF_DELTA, kind_number, pack_header, write_distance, write_header,
};
use crate::packs::{Decoder, Form, Pack, Slot, Stored};
use crate::walk::{Missing, SlotSet};
use crate::{Error, Result};

/// How a client reads packs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// It completes packs whose bases it has.
    pub(super) thin: bool,
    /// It finds bases by distance.
    pub(super) ofs_delta: bool,
}

/// Writes a pack, piece by piece, to `sink`.
pub(super) fn write_pack(
    decoder: &mut Decoder,
    missing: &Missing,
    reading: Reading,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let count = u32::try_from(missing.objects.len())
        .map_err(|_| Error::TooLarge("a pack has too many objects".into()))?;
    let hasher = Checksum::new(decoder.set().format());
    let mut writer = Writer::new(decoder, missing, reading, hasher, sink);
    writer.put(&pack_header(count))?;
    writer.write()
}

/// Writes the objects that follow a copied pack, and the checksum of it all. `hasher` has what was written so far.
pub(super) fn write_after(
    copied: &Pack,
    hasher: Checksum,
    decoder: &mut Decoder,
    beyond: &Missing,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let reading = Reading { thin: false, ofs_delta: true };
    let mut writer = Writer::new(decoder, beyond, reading, hasher, sink);
    writer.offset = copied.end();
    writer.copied = Some(copied);
    writer.write()
}

struct Writer<'a> {
    decoder: &'a mut Decoder,
    missing: &'a Missing,
    reading: Reading,
    sink: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    hasher: Checksum,
    offset: u64,
    /// Where each written object begins.
    offsets: HashMap<Slot, u64>,
    /// A pack that was copied before them.
    copied: Option<&'a Pack>,
    /// Objects that are written, or wait for their base to be.
    begun: SlotSet,
    buffer: Vec<u8>,
}

/// What an entry of the new pack refers to.
enum Reference {
    Nothing,
    Before(u64),
    Named(gix::ObjectId),
}

impl<'a> Writer<'a> {
    fn new(
        decoder: &'a mut Decoder,
        missing: &'a Missing,
        reading: Reading,
        hasher: Checksum,
        sink: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Self {
        let begun = SlotSet::new(decoder.set().len());
        Self {
            decoder,
            missing,
            reading,
            sink,
            hasher,
            offset: 0,
            offsets: HashMap::new(),
            copied: None,
            begun,
            buffer: Vec::new(),
        }
    }

    fn write(mut self) -> Result<()> {
        for slot in &self.missing.objects {
            self.object(*slot)?;
        }
        (self.sink)(&self.hasher.finish())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.offset += bytes.len() as u64;
        (self.sink)(bytes)
    }

    /// Writes an object, and before it those of its bases that belong into the pack.
    fn object(&mut self, slot: Slot) -> Result<()> {
        let mut waiting = Vec::new();
        let mut next = Some(slot);
        while let Some(slot) = next.filter(|slot| self.begun.insert(*slot)) {
            waiting.push(slot);
            next = self.base(slot)?.filter(|base| self.missing.set.contains(*base));
        }
        while let Some(slot) = waiting.pop() {
            self.entry(slot)?;
        }
        Ok(())
    }

    fn base(&self, slot: Slot) -> Result<Option<Slot>> {
        let set = self.decoder.set();
        set.base(slot, &set.stored(slot)?)
    }

    fn entry(&mut self, slot: Slot) -> Result<()> {
        let set = self.decoder.set().clone();
        let stored = set.stored(slot)?;
        let reference = match set.base(slot, &stored)? {
            None => Some(Reference::Nothing),
            Some(base) => self.reference(base),
        };
        let begin = self.offset;
        match reference {
            Some(reference) => self.copy(&stored, &reference)?,
            None => self.inflated(slot)?,
        }
        self.offsets.insert(slot, begin);
        Ok(())
    }

    /// Returns how the client can be told of a base; `None` if it does not have it. Packs that store two objects as
    /// differences to one another end here, too: the base that is not yet written is none.
    fn reference(&self, base: Slot) -> Option<Reference> {
        let named = || Some(Reference::Named(self.decoder.set().id(base).to_owned()));
        match self.offsets.get(&base) {
            Some(offset) if self.reading.ofs_delta => Some(Reference::Before(*offset)),
            Some(_) => named(),
            None if self.missing.set.contains(base) => None,
            None if self.copied.is_some() => self.copied_offset(base).map(Reference::Before),
            None if self.reading.thin && self.missing.known.contains(base) => named(),
            None => None,
        }
    }

    fn copied_offset(&self, base: Slot) -> Option<u64> {
        let copied = self.copied?;
        copied.position(self.decoder.set().id(base)).map(|position| copied.offset_at(position))
    }

    fn copy(&mut self, stored: &Stored<'_>, reference: &Reference) -> Result<()> {
        let mut head = Vec::with_capacity(32);
        match (stored.form, reference) {
            (_, Reference::Before(offset)) => {
                write_header(&mut head, OFS_DELTA, stored.size);
                write_distance(&mut head, self.offset - offset);
            }
            (_, Reference::Named(id)) => {
                write_header(&mut head, REF_DELTA, stored.size);
                head.extend_from_slice(id.as_slice());
            }
            (Form::Whole(kind), Reference::Nothing) => {
                write_header(&mut head, kind_number(kind), stored.size);
            }
            (Form::Delta(_), Reference::Nothing) => {
                return Err(Error::Corrupt("a difference to nothing".into()));
            }
        }
        self.put(&head)?;
        self.put(stored.deflated)
    }

    fn inflated(&mut self, slot: Slot) -> Result<()> {
        let mut data = std::mem::take(&mut self.buffer);
        let kind = self.decoder.read(slot, &mut data)?;
        let mut entry = Vec::with_capacity(data.len() / 2 + 32);
        write_header(&mut entry, kind_number(kind), data.len() as u64);
        let mut encoder = ZlibEncoder::new(entry, Compression::fast());
        let deflated = encoder.write_all(&data).and_then(|()| encoder.finish());
        self.buffer = data;
        self.put(&deflated.map_err(Error::io("deflate an object"))?)
    }
}
