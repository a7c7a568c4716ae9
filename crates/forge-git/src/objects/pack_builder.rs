//! New objects, gathered into one pack.
//!
//! What the forge itself commits (a first README, an edit through the API, a merge) becomes an ordinary pack beside those
//! that pushes bring. Objects are stored whole; maintenance finds the deltas.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use forge_types::{ObjectFormat, ObjectId};
use gix::objs::WriteTo;

use super::{EntryKind, ObjectKind, Signature, TreeEntry, from_gix, hash_kind, to_gix};
use crate::packs::entry::{PACK_HEADER, kind_number, pack_header, write_header};
use crate::receive::Quarantine;
use crate::receive::small::{IndexEntry, write_index};
use crate::{Error, PackInfo, Packs, Repository, Result};

/// What a new commit says.
#[derive(Clone, Debug)]
pub struct CommitDraft {
    /// The directory it records.
    pub tree_id: ObjectId,
    /// The commits it follows.
    pub parent_ids: Vec<ObjectId>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who makes the commit.
    pub committer: Signature,
    /// What it says. A line feed at the end is added when there is none.
    pub message: String,
}

impl CommitDraft {
    /// Returns the bytes of the commit.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut text = format!("tree {}\n", self.tree_id);
        for parent in &self.parent_ids {
            text.push_str(&format!("parent {parent}\n"));
        }
        text.push_str(&format!("author {}\n", self.author.encode()));
        text.push_str(&format!("committer {}\n\n", self.committer.encode()));
        text.push_str(&self.message.replace('\0', ""));
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.into_bytes()
    }
}

/// Gathers objects and writes them as one pack.
#[derive(Debug)]
pub struct PackBuilder {
    format: ObjectFormat,
    seen: HashMap<ObjectId, ObjectKind>,
    entries: Vec<u8>,
    index: Vec<IndexEntry>,
}

impl PackBuilder {
    /// Begins an empty pack.
    pub fn new(format: ObjectFormat) -> Self {
        Self { format, seen: HashMap::new(), entries: Vec::new(), index: Vec::new() }
    }

    /// Adds the bytes of a file.
    pub fn blob(&mut self, data: &[u8]) -> Result<ObjectId> {
        self.add(ObjectKind::Blob, data)
    }

    /// Adds a directory. Entries may come in any order; names that Git refuses or that occur twice are refused.
    pub fn tree(&mut self, entries: &[TreeEntry]) -> Result<ObjectId> {
        let mut tree = gix::objs::Tree::empty();
        for entry in entries {
            check_name(&entry.name, entry.kind)?;
            tree.entries.push(gix::objs::tree::Entry {
                mode: entry.kind.to_gix().into(),
                filename: entry.name.clone().into(),
                oid: to_gix(entry.id),
            });
        }
        tree.entries.sort();
        let mut names = HashSet::new();
        if !tree.entries.iter().all(|entry| names.insert(&entry.filename)) {
            return Err(Error::protocol("a directory has two entries of one name"));
        }
        let mut data = Vec::new();
        tree.write_to(&mut data).map_err(Error::io("encode a tree"))?;
        self.add(ObjectKind::Tree, &data)
    }

    /// Adds a commit.
    pub fn commit(&mut self, draft: &CommitDraft) -> Result<ObjectId> {
        self.add(ObjectKind::Commit, &draft.encode())
    }

    /// Returns what an object of the pack is.
    pub(crate) fn kind_of(&self, id: ObjectId) -> Option<ObjectKind> {
        self.seen.get(&id).copied()
    }

    /// Returns the objects in it, in no order.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.seen.keys().copied()
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Writes the pack durably into the repository, which is created if need be. `unique` is a number that no other pack
    /// was or will be given.
    pub fn write(self, repository: &Repository, unique: u128) -> Result<PackInfo> {
        let quarantine = self.into_quarantine(repository, unique)?;
        quarantine.publish_blocking()?.ok_or_else(|| Error::Corrupt("an empty pack was to be written".into()))
    }

    /// Writes the pack where the repository does not see it yet, for being looked through. Else as [`PackBuilder::write`].
    pub fn into_quarantine(self, repository: &Repository, unique: u128) -> Result<Quarantine> {
        let quarantine = Quarantine::open(&Packs::of_directory(repository.clone()), unique)?;
        self.write_into(&quarantine.pack_directory())?;
        Ok(quarantine)
    }

    /// Writes the pack and its index into a directory. Nothing is synced.
    pub(crate) fn write_into(mut self, directory: &Path) -> Result<()> {
        let (format, index) = (self.format, std::mem::take(&mut self.index));
        write_index(&self.finish()?, &index, format, directory)
    }

    /// Adds an object as it is.
    pub(crate) fn add(&mut self, kind: ObjectKind, data: &[u8]) -> Result<ObjectId> {
        let id = gix::objs::compute_hash(hash_kind(self.format), kind.to_gix(), data)
            .map_err(|error| Error::corrupt("hash an object", error))?;
        let id = from_gix(&id);
        if self.seen.insert(id, kind).is_none() {
            let begin = self.entries.len();
            write_header(&mut self.entries, kind_number(kind), data.len() as u64);
            let mut encoder = ZlibEncoder::new(&mut self.entries, Compression::default());
            encoder
                .write_all(data)
                .and_then(|()| encoder.finish().map(drop))
                .map_err(Error::io("deflate an object"))?;
            let offset = PACK_HEADER + begin as u64;
            self.index.push(IndexEntry::new(id, offset, &self.entries[begin..]));
        }
        Ok(id)
    }

    fn finish(self) -> Result<Vec<u8>> {
        let count = u32::try_from(self.seen.len())
            .map_err(|_| Error::TooLarge("the pack has too many objects".into()))?;
        let mut pack = Vec::with_capacity(self.entries.len() + 44);
        pack.extend_from_slice(&pack_header(count));
        pack.extend_from_slice(&self.entries);
        let mut hasher = gix::hash::hasher(hash_kind(self.format));
        hasher.update(&pack);
        let checksum = hasher.try_finalize().map_err(|error| Error::corrupt("hash a pack", error))?;
        pack.extend_from_slice(checksum.as_slice());
        Ok(pack)
    }
}

/// Names that a working copy must not have, in the spellings that file systems take for them.
fn check_name(name: &[u8], kind: EntryKind) -> Result<()> {
    let options = gix::validate::path::component::Options {
        protect_windows: false,
        protect_hfs: true,
        protect_ntfs: true,
    };
    // Git reads settings from some names, which must not lead elsewhere.
    let mode = (kind == EntryKind::Link).then_some(gix::validate::path::component::Mode::Symlink);
    let is_bad = name.is_empty()
        || name == b"."
        || name == b".."
        || name.contains(&b'/')
        || name.contains(&0)
        || gix::validate::path::component(name.into(), mode, options).is_err();
    if is_bad {
        return Err(Error::Protocol(format!("`{}` is not allowed as a file name", name.escape_ascii())));
    }
    Ok(())
}

impl Signature {
    /// Returns the signature as it is written after `author` and `committer`; what would break the line is left out.
    pub fn encode(&self) -> String {
        let clean = |text: &str| text.replace(['<', '>', '\n', '\0'], "").trim().to_owned();
        let (sign, minutes) =
            if self.offset < 0 { ('-', -self.offset / 60) } else { ('+', self.offset / 60) };
        let zone = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
        format!("{} <{}> {} {zone}", clean(&self.name), clean(&self.email), self.seconds)
    }
}
