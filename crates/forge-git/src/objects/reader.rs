//! Reading objects from the packs of a repository.
//!
//! A list of opened packs, tried in order of size: no slot map, no rescanning, nothing loose. Packs are immutable, so a
//! reader keeps working on what it opened while maintenance removes files behind it.

use std::path::PathBuf;

use forge_types::ObjectId;
use gix_pack::Bundle;

use super::{Commit, EntryKind, ObjectKind, Peeled, TreeEntry, from_gix, hash_kind, to_gix};
use crate::storage::list;
use crate::{Error, Repository, Result};

/// Tags of tags are followed this deep.
const MAX_TAG_DEPTH: usize = 32;

/// An object of any other size is for streaming, not for a buffer.
const MAX_OBJECT_BYTES: usize = 256 << 20;

/// Reads the objects that a repository had when this was opened. For one thread.
pub struct Objects {
    hash: gix::hash::Kind,
    packs: Vec<Bundle>,
    inflate: gix::zlib::Inflate,
    cache: gix_pack::cache::lru::StaticLinkedList<64>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("packs", &self.packs.len()).finish_non_exhaustive()
    }
}

impl Objects {
    /// Opens the packs of a repository; one without a directory has no objects.
    pub fn open(repository: &Repository) -> Result<Self> {
        Self::open_directories(repository, &[repository.packs()])
    }

    pub(crate) fn open_directories(repository: &Repository, directories: &[PathBuf]) -> Result<Self> {
        let hash = hash_kind(repository.format());
        let mut packs = Vec::new();
        for directory in directories {
            for path in
                list(directory)?.iter().filter(|path| path.extension().is_some_and(|found| found == "idx"))
            {
                match Bundle::at(path, hash) {
                    Ok(bundle) => packs.push(bundle),
                    // Maintenance removed it between listing and opening; its objects are in a newer pack.
                    Err(_) if !path.exists() => {}
                    Err(error) => return Err(Error::corrupt(path.display(), error)),
                }
            }
        }
        packs.sort_by_key(|bundle| std::cmp::Reverse(bundle.index.num_objects()));
        for (number, bundle) in packs.iter_mut().enumerate() {
            // The cache of delta bases tells packs apart by this number.
            bundle.pack.id = u32::try_from(number).unwrap_or(u32::MAX);
        }
        Ok(Self { hash, packs, inflate: gix::zlib::Inflate::default(), cache: Default::default() })
    }

    /// Is the object there?
    pub fn contains(&self, id: ObjectId) -> bool {
        let id = to_gix(id);
        self.packs.iter().any(|bundle| bundle.index.lookup(id).is_some())
    }

    /// Returns kind and size of an object without decoding it.
    pub fn header(&mut self, id: ObjectId) -> Result<(ObjectKind, u64)> {
        let key = to_gix(id);
        let Some((bundle, at)) = find(&self.packs, &key) else {
            return Err(Error::MissingObject(id));
        };
        let broken = |error| Error::corrupt(format_args!("object {id}"), error);
        let entry = bundle.pack.entry(bundle.index.pack_offset_at_index(at)).map_err(broken)?;
        let resolve = |base: &gix::oid| {
            let offset = bundle.index.lookup(base).map(|at| bundle.index.pack_offset_at_index(at));
            let entry = offset.map(|offset| bundle.pack.entry(offset)).transpose()?;
            Ok(entry.map(gix_pack::data::decode::header::ResolvedBase::InPack))
        };
        let header = bundle.pack.decode_header(entry, &mut self.inflate, &resolve).map_err(broken)?;
        Ok((ObjectKind::from_gix(header.kind), header.object_size))
    }

    /// Reads an object.
    pub fn read(&mut self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        let mut data = Vec::new();
        let kind = self.read_into(id, &mut data)?;
        Ok((kind, data))
    }

    pub(crate) fn read_into(&mut self, id: ObjectId, data: &mut Vec<u8>) -> Result<ObjectKind> {
        let (_, size) = self.header(id)?;
        if size > MAX_OBJECT_BYTES as u64 {
            return Err(Error::TooLarge(format!("object {id} has {size} bytes, which is too large to show")));
        }
        let key = to_gix(id);
        let Some((bundle, at)) = find(&self.packs, &key) else {
            return Err(Error::MissingObject(id));
        };
        let object = bundle
            .get_object_by_index(at, data, &mut self.inflate, &mut self.cache)
            .map_err(|error| Error::corrupt(format_args!("object {id}"), error))?;
        Ok(ObjectKind::from_gix(object.0.kind))
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
        if id == ObjectId::empty_tree(id.format()) {
            return Ok(Vec::new());
        }
        let data = self.read_as(id, ObjectKind::Tree)?;
        let entries = gix::objs::TreeRefIter::from_bytes(&data, self.hash).map(|entry| {
            let entry = entry.map_err(|error| Error::corrupt(format_args!("tree {id}"), error))?;
            let kind = EntryKind::from_gix(entry.mode.kind());
            Ok(TreeEntry { name: entry.filename.to_vec(), kind, id: from_gix(entry.oid) })
        });
        entries.collect()
    }

    /// Finds what is at a path of a commit; the empty path is its root directory. `None` if there is nothing.
    pub fn entry_at(&mut self, commit_id: ObjectId, path: &[u8]) -> Result<Option<TreeEntry>> {
        let mut found =
            TreeEntry { name: Vec::new(), kind: EntryKind::Tree, id: self.commit(commit_id)?.tree_id };
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            if found.kind != EntryKind::Tree {
                return Ok(None);
            }
            match self.tree(found.id)?.into_iter().find(|entry| entry.name == name) {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
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

    fn read_as(&mut self, id: ObjectId, expected: ObjectKind) -> Result<Vec<u8>> {
        let (kind, data) = self.read(id)?;
        if kind == expected { Ok(data) } else { Err(Error::WrongKind { id, expected: expected.as_str() }) }
    }
}

fn find<'a>(packs: &'a [Bundle], id: &gix::oid) -> Option<(&'a Bundle, u32)> {
    packs.iter().find_map(|bundle| bundle.index.lookup(id).map(|at| (bundle, at)))
}
