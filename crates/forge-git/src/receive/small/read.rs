//! Reading a pack from memory: entries, differences, names.

use std::collections::HashMap;

use flate2::{Decompress, FlushDecompress, Status};
use forge_types::ObjectId;

use super::apply::apply;
use super::{MAX_INFLATED, MAX_OBJECTS, Object};
use crate::objects::{ObjectKind, from_gix, hash_kind, to_gix};
use crate::packs::entry::{Checksum, OFS_DELTA, REF_DELTA, kind_number, pack_header, write_header};
use crate::packs::{Decoder, PackSet};
use crate::receive::small::index::IndexEntry;
use crate::{Error, Result};

/// A pack whose objects are all known.
pub(super) struct Pack {
    /// The pack as it is to be stored: with the bases that it lacked.
    pub(super) bytes: Vec<u8>,
    /// Where each object is in it.
    pub(super) entries: Vec<IndexEntry>,
    pub(super) objects: HashMap<ObjectId, Object>,
}

struct Entry<'a> {
    form: Form,
    begin: usize,
    end: usize,
    data: Vec<u8>,
    bytes: &'a [u8],
}

enum Form {
    Whole(ObjectKind),
    Before(usize),
    Named(ObjectId),
}

/// Reads a pack; `None` if it is for git to judge.
pub(super) fn read(bytes: &[u8], bases: &PackSet) -> Result<Option<Pack>> {
    let hash_len = bases.format().raw_len();
    let Some((content, trailer)) = bytes.len().checked_sub(hash_len).map(|at| bytes.split_at(at)) else {
        return Ok(None);
    };
    let mut hash = Checksum::new(bases.format());
    hash.update(content);
    if hash.finish() != trailer {
        return Ok(None);
    }
    match entries(content, hash_len) {
        Some(entries) => Resolver::new(bases, entries).run(content),
        None => Ok(None),
    }
}

fn entries(content: &[u8], hash_len: usize) -> Option<Vec<Entry<'_>>> {
    let header = content.get(..12)?;
    let count = u32::from_be_bytes(header[8..12].try_into().ok()?);
    if header[..8] != *b"PACK\0\0\0\x02" || count == 0 || count > MAX_OBJECTS {
        return None;
    }
    let mut inflate = Decompress::new(true);
    let (mut at, mut room) = (12, MAX_INFLATED);
    let mut entries = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let entry = entry(content, at, hash_len, &mut inflate, room)?;
        room = room.checked_sub(entry.data.len())?;
        at = entry.end;
        entries.push(entry);
    }
    (at == content.len()).then_some(entries)
}

fn entry<'a>(
    content: &'a [u8],
    begin: usize,
    hash_len: usize,
    inflate: &mut Decompress,
    room: usize,
) -> Option<Entry<'a>> {
    let mut at = begin;
    let byte = |at: &mut usize| {
        let byte = *content.get(*at)?;
        *at += 1;
        Some(byte)
    };
    let first = byte(&mut at)?;
    let (kind, mut size, mut shift, mut more) =
        (first >> 4 & 7, usize::from(first & 0x0f), 4, first & 0x80 != 0);
    while more {
        let next = byte(&mut at)?;
        size |= usize::from(next & 0x7f).checked_shl(shift).filter(|_| shift < 32)?;
        shift += 7;
        more = next & 0x80 != 0;
    }
    let form = match kind {
        OFS_DELTA => {
            let mut next = byte(&mut at)?;
            let mut distance = usize::from(next & 0x7f);
            while next & 0x80 != 0 {
                next = byte(&mut at)?;
                distance =
                    distance.checked_add(1)?.checked_mul(128)?.checked_add(usize::from(next & 0x7f))?;
            }
            Form::Before(begin.checked_sub(distance).filter(|_| distance > 0)?)
        }
        REF_DELTA => {
            let id = ObjectId::from_bytes(content.get(at..at + hash_len)?).ok()?;
            at += hash_len;
            Form::Named(id)
        }
        1 => Form::Whole(ObjectKind::Commit),
        2 => Form::Whole(ObjectKind::Tree),
        3 => Form::Whole(ObjectKind::Blob),
        4 => Form::Whole(ObjectKind::Tag),
        _ => return None,
    };
    if size > room {
        return None;
    }
    let mut data = Vec::with_capacity(size.max(1));
    inflate.reset(true);
    let status = inflate.decompress_vec(content.get(at..)?, &mut data, FlushDecompress::Finish).ok()?;
    if status != Status::StreamEnd || data.len() != size {
        return None;
    }
    let end = at + usize::try_from(inflate.total_in()).ok()?;
    Some(Entry { form, begin, end, data, bytes: &content[begin..end] })
}

struct Resolver<'a> {
    bases: &'a PackSet,
    entries: Vec<Entry<'a>>,
    by_offset: HashMap<usize, usize>,
    by_id: HashMap<ObjectId, usize>,
    done: Vec<Option<(ObjectId, Object)>>,
    /// Bases that the pack lacked.
    added: HashMap<ObjectId, Object>,
    room: usize,
}

impl<'a> Resolver<'a> {
    fn new(bases: &'a PackSet, entries: Vec<Entry<'a>>) -> Self {
        let by_offset = entries.iter().enumerate().map(|(at, entry)| (entry.begin, at)).collect();
        let done = entries.iter().map(|_| None).collect();
        Self {
            bases,
            entries,
            by_offset,
            by_id: HashMap::new(),
            done,
            added: HashMap::new(),
            room: MAX_INFLATED,
        }
    }

    fn run(mut self, content: &[u8]) -> Result<Option<Pack>> {
        let mut open: Vec<usize> = (0..self.entries.len()).collect();
        while !open.is_empty() {
            let before = open.len();
            let mut still_open = Vec::new();
            for at in open {
                match self.try_resolve(at) {
                    Step::Done => {}
                    Step::Later => still_open.push(at),
                    Step::Never => return Ok(None),
                }
            }
            open = still_open;
            if open.len() == before && !self.add_bases(&open)? {
                return Ok(None);
            }
        }
        self.finish(content)
    }

    fn try_resolve(&mut self, at: usize) -> Step {
        let entry = &mut self.entries[at];
        let object = match &entry.form {
            Form::Whole(kind) => Object { kind: *kind, data: std::mem::take(&mut entry.data) },
            Form::Before(offset) => {
                let Some(base) = self.by_offset.get(offset) else { return Step::Never };
                let Some((_, base)) = &self.done[*base] else { return Step::Later };
                match apply(&base.data, &entry.data, self.room) {
                    Some(data) => Object { kind: base.kind, data },
                    None => return Step::Never,
                }
            }
            Form::Named(id) => {
                let inside =
                    self.by_id.get(id).and_then(|at| self.done[*at].as_ref()).map(|(_, object)| object);
                let Some(base) = inside.or_else(|| self.added.get(id)) else { return Step::Later };
                match apply(&base.data, &entry.data, self.room) {
                    Some(data) => Object { kind: base.kind, data },
                    None => return Step::Never,
                }
            }
        };
        let Some(room) = self.room.checked_sub(object.data.len()) else { return Step::Never };
        self.room = room;
        let hash = hash_kind(self.bases.format());
        // An object made to collide with another is noticed here.
        let Ok(id) = gix::objs::compute_hash(hash, object.kind.to_gix(), &object.data) else {
            return Step::Never;
        };
        let id = from_gix(&id);
        if self.by_id.insert(id, at).is_some() {
            return Step::Never;
        }
        self.done[at] = Some((id, object));
        Step::Done
    }

    /// Fetches the bases of differences that nothing in the pack resolves; returns whether there were any.
    fn add_bases(&mut self, open: &[usize]) -> Result<bool> {
        let mut decoder = Decoder::new(self.bases.clone());
        let mut has_added = false;
        for at in open {
            let Form::Named(id) = self.entries[*at].form else { continue };
            if self.by_id.contains_key(&id) || self.added.contains_key(&id) {
                continue;
            }
            let Some(slot) = self.bases.slot(&to_gix(id)) else { return Ok(false) };
            let (_, size) = decoder.header(slot)?;
            let Some(room) = usize::try_from(size).ok().and_then(|size| self.room.checked_sub(size)) else {
                return Ok(false);
            };
            self.room = room;
            let mut data = Vec::new();
            let kind = decoder.read(slot, &mut data)?;
            self.added.insert(id, Object { kind, data });
            has_added = true;
        }
        Ok(has_added)
    }

    /// Puts the pack together as it is to be stored.
    fn finish(self, content: &[u8]) -> Result<Option<Pack>> {
        let count = u32::try_from(self.entries.len() + self.added.len())
            .map_err(|_| Error::TooLarge("the pack has too many objects".into()))?;
        let mut bytes = Vec::with_capacity(content.len() + 64);
        bytes.extend_from_slice(&pack_header(count));
        bytes.extend_from_slice(&content[12..]);
        let mut objects = HashMap::with_capacity(self.entries.len());
        let mut index = Vec::with_capacity(count as usize);
        for (entry, done) in self.entries.iter().zip(self.done) {
            let Some((id, object)) = done else { return Ok(None) };
            index.push(IndexEntry::new(id, entry.begin as u64, entry.bytes));
            objects.insert(id, object);
        }
        for (id, object) in &self.added {
            let begin = bytes.len();
            write_header(&mut bytes, kind_number(object.kind), object.data.len() as u64);
            let mut encoder = flate2::write::ZlibEncoder::new(&mut bytes, flate2::Compression::default());
            std::io::Write::write_all(&mut encoder, &object.data)
                .and_then(|()| encoder.finish().map(drop))
                .map_err(Error::io("deflate an object"))?;
            index.push(IndexEntry::new(*id, begin as u64, &bytes[begin..]));
        }
        let mut hash = Checksum::new(self.bases.format());
        hash.update(&bytes);
        bytes.extend_from_slice(&hash.finish());
        Ok(Some(Pack { bytes, entries: index, objects }))
    }
}

enum Step {
    Done,
    Later,
    Never,
}
