//! The objects of a reader, and new ones in memory, as gix's algorithms want them.
//!
//! INVARIANT: what gix reads and writes through this is bounded. It cannot be told to stop, so that it is stopped here: the
//! read that is one too many fails, and [`Source::fault`] says why.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;

use forge_types::ObjectId;
use gix::objs::{Data, Header, Kind};

use super::reader::decode_tree;
use super::{ObjectKind, Objects, PackBuilder, TreeEntry, from_gix, hash_kind, to_gix};
use crate::{Error, Result};

/// How many bytes of trees and commits are kept.
const KEPT: usize = 16 << 20;

/// Objects by their names.
type Known = HashMap<gix::ObjectId, (Kind, Rc<Vec<u8>>)>;

/// Objects for gix. For one thread.
pub(crate) struct Source<'a> {
    objects: RefCell<&'a mut Objects>,
    hash: gix::hash::Kind,
    /// Objects that are in no pack yet.
    fresh: RefCell<Known>,
    kept: RefCell<(Known, usize)>,
    /// How many bytes may still be read or written.
    room: Cell<u64>,
    fault: RefCell<Option<Error>>,
    /// Does an absent object read as an empty file?
    absent_is_empty: bool,
}

impl<'a> Source<'a> {
    /// Makes a source that reads and writes at most so many bytes.
    pub(crate) fn new(objects: &'a mut Objects, max_bytes: u64) -> Self {
        let hash = hash_kind(objects.set().format());
        Self {
            objects: RefCell::new(objects),
            hash,
            fresh: RefCell::default(),
            kept: RefCell::default(),
            room: Cell::new(max_bytes),
            fault: RefCell::default(),
            absent_is_empty: false,
        }
    }

    /// Lets absent objects read as empty files: gix blames a file that was a submodule once as if that had been a file.
    pub(crate) fn with_absent_as_empty(self) -> Self {
        Self { absent_is_empty: true, ..self }
    }

    pub(crate) fn hash(&self) -> gix::hash::Kind {
        self.hash
    }

    /// Returns why gix failed: the first error met here, or what gix said.
    pub(crate) fn fault(&self, said: impl std::fmt::Display, what: &str) -> Error {
        self.fault.take().unwrap_or_else(|| Error::corrupt(what, said))
    }

    /// Reads an object.
    pub(crate) fn read(&self, id: ObjectId) -> Result<(ObjectKind, Rc<Vec<u8>>)> {
        let (kind, data) = self.load(&to_gix(id))?;
        Ok((ObjectKind::from_gix(kind), data))
    }

    /// Lists a tree.
    pub(crate) fn tree(&self, id: ObjectId) -> Result<Vec<TreeEntry>> {
        match self.read(id)? {
            (ObjectKind::Tree, data) => decode_tree(id, &data, |_| true),
            _ => Err(Error::WrongKind { id, expected: "tree" }),
        }
    }

    /// Adds an object.
    pub(crate) fn add(&self, kind: ObjectKind, data: Vec<u8>) -> Result<ObjectId> {
        self.take_room(data.len() as u64)?;
        let id = gix::objs::compute_hash(self.hash, kind.to_gix(), &data)
            .map_err(|error| Error::corrupt("hash an object", error))?;
        self.fresh.borrow_mut().entry(id).or_insert_with(|| (kind.to_gix(), Rc::new(data)));
        Ok(from_gix(&id))
    }

    /// Is the object there?
    pub(crate) fn contains(&self, id: ObjectId) -> bool {
        self.fresh.borrow().contains_key(&to_gix(id)) || self.objects.borrow().contains(id)
    }

    /// Puts those new objects that `roots` need into a pack.
    pub(crate) fn gather(&self, roots: &[ObjectId], pack: &mut PackBuilder) -> Result<()> {
        let fresh = self.fresh.borrow();
        let mut pending: Vec<gix::ObjectId> = roots.iter().map(|id| to_gix(*id)).collect();
        let mut seen = std::collections::HashSet::new();
        while let Some(id) = pending.pop() {
            let Some((kind, data)) = fresh.get(&id) else { continue };
            if !seen.insert(id) || self.objects.borrow().contains(from_gix(&id)) {
                continue;
            }
            pack.add(ObjectKind::from_gix(*kind), data)?;
            match kind {
                Kind::Tree => {
                    let entries = gix::objs::TreeRefIter::from_bytes(data, self.hash);
                    pending.extend(entries.flatten().map(|entry| entry.oid.to_owned()));
                }
                Kind::Commit => {
                    let mut commit = gix::objs::CommitRefIter::from_bytes(data, self.hash);
                    pending.extend(commit.tree_id());
                    pending.extend(gix::objs::CommitRefIter::from_bytes(data, self.hash).parent_ids());
                }
                Kind::Blob | Kind::Tag => {}
            }
        }
        Ok(())
    }

    fn take_room(&self, bytes: u64) -> Result<()> {
        // Each object costs something, however small it is.
        let Some(room) = self.room.get().checked_sub(bytes + 64) else {
            return Err(Error::TooLarge("this takes more data than is looked at".into()));
        };
        self.room.set(room);
        Ok(())
    }

    fn load(&self, id: &gix::oid) -> Result<(Kind, Rc<Vec<u8>>)> {
        if let Some((kind, data)) = self.fresh.borrow().get(id).or(self.kept.borrow().0.get(id)) {
            return Ok((*kind, Rc::clone(data)));
        }
        if from_gix(id) == ObjectId::empty_tree(from_gix(id).format()) {
            return Ok((Kind::Tree, Rc::default()));
        }
        let mut objects = self.objects.borrow_mut();
        let (_, size) = objects.header(from_gix(id))?;
        self.take_room(size)?;
        let (kind, data) = objects.read(from_gix(id))?;
        let (kind, data) = (kind.to_gix(), Rc::new(data));
        if matches!(kind, Kind::Tree | Kind::Commit) {
            let (kept, bytes) = &mut *self.kept.borrow_mut();
            if *bytes + data.len() > KEPT {
                kept.clear();
                *bytes = 0;
            }
            *bytes += data.len();
            kept.insert(id.to_owned(), (kind, Rc::clone(&data)));
        }
        Ok((kind, data))
    }

    /// Like [`Source::remember`], but gix may get along without an object that is missing.
    fn remember_unless_missing<T>(&self, result: Result<T>, empty: T) -> gix::error::Result<Option<T>> {
        match result {
            Err(error @ Error::MissingObject(_)) => {
                self.fault.borrow_mut().get_or_insert(error);
                Ok(self.absent_is_empty.then_some(empty))
            }
            result => self.remember(result).map(Some),
        }
    }

    /// Turns an error into gix's and remembers it.
    fn remember<T>(&self, result: Result<T>) -> gix::error::Result<T> {
        result.map_err(|error| {
            let said = error.to_string();
            self.fault.borrow_mut().get_or_insert(error);
            gix::Error::from_error(std::io::Error::other(said))
        })
    }
}

impl gix::objs::Find for Source<'_> {
    fn try_find<'b>(&self, id: &gix::oid, buffer: &'b mut Vec<u8>) -> gix::error::Result<Option<Data<'b>>> {
        let Some((kind, data)) = self.remember_unless_missing(self.load(id), (Kind::Blob, Rc::default()))?
        else {
            return Ok(None);
        };
        buffer.clear();
        buffer.extend_from_slice(&data);
        Ok(Some(Data { kind, object_hash: self.hash, data: buffer }))
    }
}

impl gix::objs::FindHeader for Source<'_> {
    fn try_header(&self, id: &gix::oid) -> gix::error::Result<Option<Header>> {
        if let Some((kind, data)) = self.fresh.borrow().get(id) {
            return Ok(Some(Header { kind: *kind, size: data.len() as u64 }));
        }
        let header = self.objects.borrow_mut().header(from_gix(id));
        let header = self.remember_unless_missing(header, (ObjectKind::Blob, 0))?;
        Ok(header.map(|(kind, size)| Header { kind: kind.to_gix(), size }))
    }
}

impl gix::objs::Exists for Source<'_> {
    fn exists(&self, id: &gix::oid) -> bool {
        self.contains(from_gix(id))
    }
}

impl gix::objs::Write for Source<'_> {
    fn write_buf_with_known_id(
        &self,
        kind: Kind,
        from: &[u8],
        _id: gix::ObjectId,
    ) -> gix::error::Result<gix::ObjectId> {
        self.remember(self.add(ObjectKind::from_gix(kind), from.to_vec())).map(to_gix)
    }

    fn write_stream(&self, kind: Kind, size: u64, from: &mut dyn Read) -> gix::error::Result<gix::ObjectId> {
        let mut data = Vec::new();
        let read = from.take(size).read_to_end(&mut data).map_err(Error::io("read a new object"));
        self.remember(read)?;
        self.remember(self.add(ObjectKind::from_gix(kind), data)).map(to_gix)
    }

    fn write_stream_with_known_id(
        &self,
        kind: Kind,
        size: u64,
        from: &mut dyn Read,
        _id: gix::ObjectId,
    ) -> gix::error::Result<gix::ObjectId> {
        self.write_stream(kind, size, from)
    }
}
