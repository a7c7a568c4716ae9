//! Going through a tree in git's order.

use forge_types::ObjectId;

use super::attributes::Attributes;
use super::{ArchiveRequest, failed};
use crate::objects::{EntryKind, Objects, PathEntry};
use crate::{Error, Result};

/// What is made of the entries.
pub(super) trait Archive {
    /// Writes a directory, whose path ends with a slash.
    fn directory(&mut self, path: &[u8], id: ObjectId) -> Result<()>;

    /// Writes a link.
    fn link(&mut self, path: &[u8], id: ObjectId, target: &[u8]) -> Result<()>;

    /// Writes a file of so many bytes.
    fn file(&mut self, objects: &mut Objects, path: &[u8], file: &PathEntry, size: u64) -> Result<()>;
}

/// A link to a longer path is not followed by any system.
const MAX_LINK: u64 = 64 * 1024;

/// A directory that is being gone through.
struct Open {
    path: Vec<u8>,
    id: ObjectId,
    entries: std::vec::IntoIter<PathEntry>,
    /// A directory is written when the first file in it is met, even one that is left out: git leaves empty ones out.
    is_written: bool,
}

/// Writes everything in a tree.
pub(super) fn walk(
    objects: &mut Objects,
    tree_id: ObjectId,
    request: &ArchiveRequest,
    archive: &mut dyn Archive,
) -> Result<()> {
    let mut room = Room { entries: request.max_entries, bytes: request.max_bytes };
    let mut attributes = Attributes::default();
    let prefix = request.prefix.as_bytes();
    if prefix.ends_with(b"/") {
        archive.directory(prefix, tree_id)?;
    }
    let root = open(objects, &mut attributes, Vec::new(), tree_id)?;
    let mut stack = vec![Open { is_written: true, ..root }];
    while let Some(top) = stack.last_mut() {
        let Some(entry) = top.entries.next() else {
            attributes.leave();
            stack.pop();
            continue;
        };
        let is_ignored = attributes.is_ignored(&entry.path, entry.kind == EntryKind::Tree);
        room.take(1, 0)?;
        if entry.kind == EntryKind::Tree {
            if !is_ignored {
                let inside = open(objects, &mut attributes, entry.path, entry.id)?;
                stack.push(inside);
            }
            continue;
        }
        for directory in stack.iter_mut().filter(|directory| !directory.is_written) {
            archive.directory(&[prefix, &directory.path, b"/"].concat(), directory.id)?;
            directory.is_written = true;
        }
        if is_ignored {
            continue;
        }
        write(objects, &[prefix, &entry.path].concat(), &entry, &mut room, archive)?;
    }
    Ok(())
}

fn open(objects: &mut Objects, attributes: &mut Attributes, path: Vec<u8>, id: ObjectId) -> Result<Open> {
    let below = |name: Vec<u8>| if path.is_empty() { name } else { [&path[..], b"/", &name].concat() };
    let entries: Vec<PathEntry> = objects
        .tree(id)?
        .into_iter()
        .map(|entry| PathEntry { path: below(entry.name), kind: entry.kind, id: entry.id })
        .collect();
    attributes.enter(objects, &path, &entries)?;
    Ok(Open { path, id, entries: entries.into_iter(), is_written: false })
}

fn write(
    objects: &mut Objects,
    path: &[u8],
    entry: &PathEntry,
    room: &mut Room,
    archive: &mut dyn Archive,
) -> Result<()> {
    match entry.kind {
        EntryKind::Tree => Ok(()),
        EntryKind::Submodule => archive.directory(&[path, b"/"].concat(), entry.id),
        EntryKind::Link => {
            let target = objects.blob(entry.id, MAX_LINK)?;
            archive.link(path, entry.id, &target)
        }
        EntryKind::File | EntryKind::Executable => {
            let size = objects.blob_size(entry.id)?;
            room.take(0, size)?;
            archive.file(objects, path, entry, size)
        }
    }
}

/// What may still be written.
struct Room {
    entries: usize,
    bytes: u64,
}

impl Room {
    fn take(&mut self, entries: usize, bytes: u64) -> Result<()> {
        match (self.entries.checked_sub(entries), self.bytes.checked_sub(bytes)) {
            (Some(entries), Some(bytes)) => {
                *self = Self { entries, bytes };
                Ok(())
            }
            _ => Err(Error::TooLarge("the repository is too large for an archive".into())),
        }
    }
}

/// Writes the bytes of a file and checks that there were as many as said.
pub(super) fn copy(
    objects: &mut Objects,
    id: ObjectId,
    size: u64,
    sink: &mut dyn std::io::Write,
) -> Result<()> {
    let mut counted = Counted { sink, count: 0 };
    objects.write_blob(id, &mut counted)?;
    if counted.count != size {
        return Err(failed()(std::io::Error::other(format!("blob {id} has another size"))));
    }
    Ok(())
}

struct Counted<'a> {
    sink: &'a mut dyn std::io::Write,
    count: u64,
}

impl std::io::Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.sink.write(bytes)?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush()
    }
}
