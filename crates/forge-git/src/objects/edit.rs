//! New trees from old ones: put something at a path, delete what is there.
//!
//! INVARIANT: what comes out holds up before `git fsck --strict`: names that Git refuses, a file where a directory is, an
//! object that is absent or of another kind than its mode says are errors, never trees.

use std::collections::BTreeMap;

use forge_types::ObjectId;

use super::{EntryKind, Objects, PackBuilder, TreeEntry};
use crate::{Error, Result};

/// No path is longer, as on the file systems that it would have to live on.
const MAX_PATH: usize = 4096;

/// No directory lies deeper: trees are written by recursion.
const MAX_DEPTH: usize = 256;

/// One change of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeEdit {
    /// Puts an object at a path, in place of what is there; directories on the way are made. A directory is only replaced if
    /// it is deleted too.
    Put {
        /// The path.
        path: Vec<u8>,
        /// What it is to be.
        kind: EntryKind,
        /// The object, which is in the repository or in the same pack. A submodule's commit is in another repository.
        id: ObjectId,
    },
    /// Deletes what is at a path: a file, or a directory with all that is in it.
    Delete {
        /// The path.
        path: Vec<u8>,
    },
}

impl PackBuilder {
    /// Adds the trees that some edits make of `base`, or of nothing. Deletions come first, whatever the order; a directory
    /// that becomes empty goes. Returns the new root, which is the empty tree if nothing is left.
    ///
    /// `base` is a tree of `objects`, not one of this pack.
    pub fn edit_tree(
        &mut self,
        objects: &mut Objects,
        base: Option<ObjectId>,
        edits: &[TreeEdit],
    ) -> Result<ObjectId> {
        let mut root = Node::default();
        for edit in edits {
            match edit {
                TreeEdit::Put { path, kind, id } => {
                    self.check_target(objects, path, *kind, *id)?;
                    let node = root.at(path)?;
                    if node.put.replace((*kind, *id)).is_some() {
                        return Err(refused(path, "is changed twice"));
                    }
                }
                TreeEdit::Delete { path } => root.at(path)?.is_deleted = true,
            }
        }
        let mut writer = Writer { pack: self, objects };
        match writer.write(&root, base, &[])? {
            Some(id) => Ok(id),
            None => self.tree(&[]),
        }
    }

    fn check_target(&self, objects: &mut Objects, path: &[u8], kind: EntryKind, id: ObjectId) -> Result<()> {
        if id.format() != objects.set().format() || id == ObjectId::null(id.format()) {
            return Err(refused(path, "would name no object"));
        }
        if kind == EntryKind::Submodule {
            return Ok(());
        }
        let found = match self.kind_of(id) {
            Some(known) => known,
            None if kind == EntryKind::Tree && id == ObjectId::empty_tree(id.format()) => return Ok(()),
            None => objects.header(id)?.0,
        };
        match found == kind.object_kind() {
            true => Ok(()),
            false => Err(Error::WrongKind { id, expected: kind.object_kind().as_str() }),
        }
    }
}

fn refused(path: &[u8], why: &str) -> Error {
    Error::Protocol(format!("`{}` {why}", path.escape_ascii()))
}

/// What is to happen at a path and below.
#[derive(Default)]
struct Node {
    children: BTreeMap<Vec<u8>, Node>,
    put: Option<(EntryKind, ObjectId)>,
    is_deleted: bool,
}

impl Node {
    fn at(&mut self, path: &[u8]) -> Result<&mut Self> {
        let depth = path.iter().filter(|byte| **byte == b'/').count();
        if path.is_empty() || path.len() > MAX_PATH || depth > MAX_DEPTH {
            return Err(refused(&path[..path.len().min(100)], "is not allowed as a path"));
        }
        // Names are checked where trees are written, but what becomes of an empty one could not be told there.
        Ok(path
            .split(|byte| *byte == b'/')
            .fold(self, |node, name| node.children.entry(name.to_vec()).or_default()))
    }
}

struct Writer<'a> {
    pack: &'a mut PackBuilder,
    objects: &'a mut Objects,
}

impl Writer<'_> {
    /// Writes a directory; none if nothing is left in it.
    fn write(&mut self, node: &Node, base: Option<ObjectId>, path: &[u8]) -> Result<Option<ObjectId>> {
        let entries = base.map_or(Ok(Vec::new()), |base| self.objects.tree(base))?;
        let mut entries: BTreeMap<Vec<u8>, TreeEntry> =
            entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        for (name, child) in &node.children {
            let path = if path.is_empty() { name.clone() } else { [path, b"/", name].concat() };
            let found = entries.remove(name);
            if let Some(entry) = self.entry(name, child, found, &path)? {
                entries.insert(name.clone(), entry);
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let entries: Vec<TreeEntry> = entries.into_values().collect();
        self.pack.tree(&entries).map(Some)
    }

    /// Returns what is at a path afterwards.
    fn entry(
        &mut self,
        name: &[u8],
        node: &Node,
        found: Option<TreeEntry>,
        path: &[u8],
    ) -> Result<Option<TreeEntry>> {
        let found = match (node.is_deleted, found) {
            (true, None) => return Err(refused(path, "does not exist")),
            (true, Some(_)) => None,
            (false, found) => found,
        };
        let is_directory = found.as_ref().is_some_and(|found| found.kind == EntryKind::Tree);
        if let Some((kind, id)) = node.put {
            if !node.children.is_empty() {
                return Err(refused(path, "cannot be changed as a whole and in parts"));
            }
            if is_directory && kind != EntryKind::Tree {
                return Err(refused(path, "is a directory"));
            }
            return Ok(Some(TreeEntry { name: name.to_vec(), kind, id }));
        }
        if node.children.is_empty() {
            return Ok(found);
        }
        if found.is_some() && !is_directory {
            return Err(refused(path, "is not a directory"));
        }
        let id = self.write(node, found.map(|found| found.id), path)?;
        Ok(id.map(|id| TreeEntry { name: name.to_vec(), kind: EntryKind::Tree, id }))
    }
}
