//! Reading objects from the packs of a repository.
//!
//! Packs are immutable, so a reader keeps working on what it opened while maintenance removes files behind it.

use std::path::PathBuf;

use forge_types::ObjectId;

use super::{Commit, EntryKind, ObjectKind, Peeled, TreeEntry, from_gix, hash_kind, to_gix};
use crate::packs::{Decoder, PackSet, Slot};
use crate::{Error, Repository, Result};

/// Tags of tags are followed this deep.
const MAX_TAG_DEPTH: usize = 32;

/// Reads the objects that a repository had when this was opened. For one thread.
#[derive(Debug)]
pub struct Objects {
    hash: gix::hash::Kind,
    pub(super) decoder: Decoder,
}

impl Objects {
    /// Opens the packs of a repository; one without a directory has no objects.
    pub fn open(repository: &Repository) -> Result<Self> {
        Self::open_directories(repository, &[repository.packs()])
    }

    /// Reads from packs that are open already.
    pub fn of(set: PackSet) -> Self {
        Self { hash: hash_kind(set.format()), decoder: Decoder::new(set) }
    }

    pub(crate) fn open_directories(repository: &Repository, directories: &[PathBuf]) -> Result<Self> {
        Ok(Self::of(PackSet::open_directories(repository.format(), directories)?))
    }

    /// Is the object there?
    pub fn contains(&self, id: ObjectId) -> bool {
        self.decoder.set().contains(id)
    }

    pub(crate) fn set(&self) -> &PackSet {
        self.decoder.set()
    }

    pub(crate) fn slot(&self, id: ObjectId) -> Result<Slot> {
        self.set().slot_of(&to_gix(id))
    }

    /// Reads the object of a slot of [`Objects::set`] into a buffer, whose former content is lost.
    pub(crate) fn read_slot(&mut self, slot: Slot, data: &mut Vec<u8>) -> Result<ObjectKind> {
        self.decoder.read(slot, data)
    }

    /// Returns kind and size of an object without decoding it.
    pub fn header(&mut self, id: ObjectId) -> Result<(ObjectKind, u64)> {
        let slot = self.slot(id)?;
        self.decoder.header(slot)
    }

    /// Reads an object.
    pub fn read(&mut self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        let mut data = Vec::new();
        let kind = self.read_into(id, &mut data)?;
        Ok((kind, data))
    }

    pub(crate) fn read_into(&mut self, id: ObjectId, data: &mut Vec<u8>) -> Result<ObjectKind> {
        let slot = self.slot(id)?;
        self.decoder.read(slot, data)
    }

    /// Reads a blob of at most this many bytes.
    pub fn blob(&mut self, id: ObjectId, max_bytes: u64) -> Result<Vec<u8>> {
        let (kind, size) = self.header(id)?;
        if kind == ObjectKind::Blob && size > max_bytes {
            return Err(Error::TooLarge(format!("blob {id} has {size} bytes, which is over the limit")));
        }
        self.read_as(id, ObjectKind::Blob)
    }

    /// Reads a commit.
    pub fn commit(&mut self, id: ObjectId) -> Result<Commit> {
        let data = self.read_as(id, ObjectKind::Commit)?;
        Commit::decode(id, &data, self.hash)
    }

    /// Lists a tree.
    pub fn tree(&mut self, id: ObjectId) -> Result<Vec<TreeEntry>> {
        self.tree_entries(id, |_| true)
    }

    /// Finds the entry of a name in a tree.
    pub(crate) fn child(&mut self, tree_id: ObjectId, name: &[u8]) -> Result<Option<TreeEntry>> {
        Ok(self.tree_entries(tree_id, |found| found == name)?.pop())
    }

    fn tree_entries(&mut self, id: ObjectId, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<TreeEntry>> {
        if id == ObjectId::empty_tree(id.format()) {
            return Ok(Vec::new());
        }
        let data = self.read_as(id, ObjectKind::Tree)?;
        decode_tree(id, &data, is_wanted)
    }

    /// Finds what is at a path of a commit; the empty path is its root directory. `None` if there is nothing.
    pub fn entry_at(&mut self, commit_id: ObjectId, path: &[u8]) -> Result<Option<TreeEntry>> {
        let tree_id = self.commit(commit_id)?.tree_id;
        self.entry_in(tree_id, path)
    }

    /// Follows annotated tags to what they stand for.
    pub fn peel(&mut self, id: ObjectId) -> Result<Peeled> {
        let (kind, _) = self.header(id)?;
        let (mut target_id, mut target_kind) = (id, kind);
        for _ in 0..MAX_TAG_DEPTH {
            if target_kind != ObjectKind::Tag {
                return Ok(Peeled { kind, target_id, target_kind });
            }
            let data = self.read_as(target_id, ObjectKind::Tag)?;
            let tag = gix::objs::TagRefIter::from_bytes(&data, self.hash);
            let next =
                tag.target_id().map_err(|error| Error::corrupt(format_args!("tag {target_id}"), error))?;
            target_id = from_gix(&next);
            target_kind = self.header(target_id)?.0;
        }
        Err(Error::Corrupt(format!("tag {id} points through more than {MAX_TAG_DEPTH} tags")))
    }

    pub(crate) fn read_as(&mut self, id: ObjectId, expected: ObjectKind) -> Result<Vec<u8>> {
        let (kind, data) = self.read(id)?;
        if kind == expected { Ok(data) } else { Err(Error::WrongKind { id, expected: expected.as_str() }) }
    }
}

/// Reads the entries of a tree whose names are wanted.
pub(crate) fn decode_tree(
    id: ObjectId,
    data: &[u8],
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    for entry in gix::objs::TreeRefIter::from_bytes(data, hash_kind(id.format())) {
        let entry = entry.map_err(|error| Error::corrupt(format_args!("tree {id}"), error))?;
        if is_wanted(entry.filename) {
            let kind = EntryKind::from_gix(entry.mode.kind());
            entries.push(TreeEntry { name: entry.filename.to_vec(), kind, id: from_gix(entry.oid) });
        }
    }
    Ok(entries)
}
