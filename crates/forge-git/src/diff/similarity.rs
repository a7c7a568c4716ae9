//! How much of one file is in another.
//!
//! As git estimates it for renames: each file is cut into pieces, at line feeds and after 64 bytes; what both files have of
//! the same pieces, in whatever order, is what they share.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use forge_types::ObjectId;

use super::lines::is_binary;
use crate::Result;
use crate::objects::Objects;

/// The score of equal files.
pub(super) const MAX_SCORE: u64 = 60_000;

/// The longest piece.
const PIECE: usize = 64;

/// The pieces of a file: hash, and how many bytes there are of it; in order.
#[derive(Debug)]
struct Pieces(Vec<(u64, u64)>);

/// Compares files, reading each only once.
#[derive(Debug)]
pub(super) struct Similarity {
    sizes: HashMap<ObjectId, u64>,
    known: HashMap<ObjectId, Rc<Pieces>>,
    room: u64,
    /// Were files left out because there was no room for them?
    pub(super) is_cut: bool,
}

impl Similarity {
    /// May read so many bytes.
    pub(super) fn new(room: u64) -> Self {
        Self { sizes: HashMap::new(), known: HashMap::new(), room, is_cut: false }
    }

    /// Returns the score of two files, or 0 if it is sure to be below `minimum`.
    pub(super) fn score(
        &mut self,
        objects: &mut Objects,
        old: ObjectId,
        new: ObjectId,
        minimum: u64,
    ) -> Result<u64> {
        let (old_size, new_size) = (self.size(objects, old)?, self.size(objects, new)?);
        let (smaller, larger) = (old_size.min(new_size), old_size.max(new_size));
        if larger == 0 || larger * (MAX_SCORE - minimum) < (larger - smaller) * MAX_SCORE {
            return Ok(0);
        }
        let (Some(old), Some(new)) = (self.pieces(objects, old)?, self.pieces(objects, new)?) else {
            return Ok(0);
        };
        Ok(shared(&old, &new) * MAX_SCORE / larger)
    }

    fn size(&mut self, objects: &mut Objects, id: ObjectId) -> Result<u64> {
        if let Some(size) = self.sizes.get(&id) {
            return Ok(*size);
        }
        let size = objects.blob_size(id)?;
        self.sizes.insert(id, size);
        Ok(size)
    }

    fn pieces(&mut self, objects: &mut Objects, id: ObjectId) -> Result<Option<Rc<Pieces>>> {
        if let Some(known) = self.known.get(&id) {
            return Ok(Some(Rc::clone(known)));
        }
        let Some(room) = self.room.checked_sub(self.size(objects, id)?) else {
            self.is_cut = true;
            return Ok(None);
        };
        self.room = room;
        let pieces = Rc::new(pieces(&objects.blob(id, u64::MAX)?));
        self.known.insert(id, Rc::clone(&pieces));
        Ok(Some(pieces))
    }
}

fn pieces(data: &[u8]) -> Pieces {
    let is_text = !is_binary(data);
    let mut counted: HashMap<u64, u64> = HashMap::new();
    let mut piece = Vec::with_capacity(PIECE);
    let mut count = |piece: &mut Vec<u8>| {
        let mut hasher = DefaultHasher::new();
        piece.hash(&mut hasher);
        *counted.entry(hasher.finish()).or_default() += piece.len() as u64;
        piece.clear();
    };
    for (at, byte) in data.iter().enumerate() {
        // Line ends of the other kind make no difference.
        if is_text && *byte == b'\r' && data.get(at + 1) == Some(&b'\n') {
            continue;
        }
        piece.push(*byte);
        if *byte == b'\n' || piece.len() == PIECE {
            count(&mut piece);
        }
    }
    if !piece.is_empty() {
        count(&mut piece);
    }
    let mut pieces: Vec<_> = counted.into_iter().collect();
    pieces.sort_unstable();
    Pieces(pieces)
}

/// Returns how many bytes two files share.
fn shared(old: &Pieces, new: &Pieces) -> u64 {
    let mut total = 0;
    let mut others = new.0.iter().peekable();
    for (hash, bytes) in &old.0 {
        while others.next_if(|(other, _)| other < hash).is_some() {}
        if let Some((_, other)) = others.next_if(|(other, _)| other == hash) {
            total += bytes.min(other);
        }
    }
    total
}
