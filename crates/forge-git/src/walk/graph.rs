//! Commits and what they point to, read once and remembered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use forge_types::ObjectId;

use crate::objects::{ObjectKind, from_gix};
use crate::packs::{Decoder, PackSet, Slot};
use crate::{Error, Result};

/// A commit as a walk sees it.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The directory it records; none for the empty one, which every client knows and no pack needs to have.
    pub(crate) tree: Option<Slot>,
    /// The commits it follows.
    pub(crate) parents: Vec<Slot>,
    /// When it was committed, in seconds since 1970, by a clock that may be wrong.
    pub(crate) time: i64,
}

/// Reads commits and remembers them.
#[derive(Debug)]
pub(crate) struct Graph {
    decoder: Decoder,
    known: HashMap<Slot, Rc<Commit>, BuildHasherDefault<SlotHasher>>,
    buffer: Vec<u8>,
}

impl Graph {
    pub(crate) fn new(set: PackSet) -> Self {
        Self { decoder: Decoder::new(set), known: HashMap::default(), buffer: Vec::new() }
    }

    pub(crate) fn set(&self) -> &PackSet {
        self.decoder.set()
    }

    pub(crate) fn decoder(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    /// Forgets the commits.
    pub(crate) fn into_decoder(self) -> Decoder {
        self.decoder
    }

    /// Returns a commit.
    pub(crate) fn commit(&mut self, slot: Slot) -> Result<Rc<Commit>> {
        if let Some(known) = self.known.get(&slot) {
            return Ok(Rc::clone(known));
        }
        let kind = self.decoder.read_any_size(slot, &mut self.buffer)?;
        let id = || from_gix(self.decoder.set().id(slot));
        if kind != ObjectKind::Commit {
            return Err(Error::WrongKind { id: id(), expected: "commit" });
        }
        let commit = parse(self.decoder.set(), &self.buffer)?
            .ok_or_else(|| Error::Corrupt(format!("commit {} does not read", id())))?;
        let commit = Rc::new(commit);
        self.known.insert(slot, Rc::clone(&commit));
        Ok(commit)
    }

    /// Follows annotated tags. Returns every tag on the way, and what is at the end with its kind.
    pub(crate) fn peel(&mut self, slot: Slot) -> Result<(Vec<Slot>, Slot, ObjectKind)> {
        let mut tags = Vec::new();
        let mut at = slot;
        loop {
            let (kind, _) = self.decoder.header(at)?;
            if kind != ObjectKind::Tag {
                return Ok((tags, at, kind));
            }
            self.decoder.read(at, &mut self.buffer)?;
            let target = self.buffer.strip_prefix(b"object ").and_then(|rest| hex_id(self.set(), rest));
            let target = target.ok_or_else(|| {
                Error::Corrupt(format!("tag {} does not read", from_gix(self.set().id(at))))
            })?;
            tags.push(at);
            at = self.set().slot_of(&target)?;
            // Names are hashes: no chain of tags leads back into itself.
        }
    }
}

/// Reads the lines of a commit that a walk needs.
fn parse(set: &PackSet, data: &[u8]) -> Result<Option<Commit>> {
    let mut lines = data.split(|byte| *byte == b'\n').peekable();
    let Some(tree) =
        lines.next().and_then(|line| line.strip_prefix(b"tree ")).and_then(|hex| hex_id(set, hex))
    else {
        return Ok(None);
    };
    let mut parents = Vec::new();
    while let Some(hex) = lines.peek().and_then(|line| line.strip_prefix(b"parent ")) {
        let Some(id) = hex_id(set, hex) else { return Ok(None) };
        parents.push(set.slot_of(&id)?);
        lines.next();
    }
    let mut header = lines.take_while(|line| !line.is_empty());
    let committer = header.find_map(|line| line.strip_prefix(b"committer "));
    Ok(Some(Commit { tree: tree_slot(set, &tree)?, parents, time: committer.map_or(0, seconds) }))
}

fn tree_slot(set: &PackSet, id: &gix::oid) -> Result<Option<Slot>> {
    match set.slot(id) {
        None if from_gix(id) == ObjectId::empty_tree(set.format()) => Ok(None),
        None => Err(Error::MissingObject(from_gix(id))),
        found => Ok(found),
    }
}

fn hex_id(set: &PackSet, hex: &[u8]) -> Option<gix::ObjectId> {
    gix::ObjectId::from_hex(hex.get(..set.format().hex_len())?).ok()
}

/// Returns the time of a signature; what does not read is the beginning of time.
fn seconds(signature: &[u8]) -> i64 {
    let after_address = signature.rsplit(|byte| *byte == b'>').next().unwrap_or_default();
    let text = std::str::from_utf8(after_address).unwrap_or_default();
    text.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Slots are dense numbers: mixing their bits a little is enough.
#[derive(Debug, Default)]
pub(crate) struct SlotHasher(u64);

impl Hasher for SlotHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}
