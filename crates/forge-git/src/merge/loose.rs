//! Taking over the objects that git left in a directory. See gitrepository-layout(5), "objects/[0-9a-f][0-9a-f]".

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;
use forge_types::ObjectId;

use crate::objects::{ObjectKind, Source, hash_kind};
use crate::{Error, Result};

/// No object of a merge is larger.
const MAX_BYTES: u64 = 256 << 20;

/// Adds a tree and what it holds to the source, as far as it is there and the source does not have it.
pub(super) fn take_over(source: &Source<'_>, directory: &Path, tree_id: ObjectId) -> Result<()> {
    let mut pending = vec![tree_id];
    while let Some(id) = pending.pop() {
        if source.contains(id) || id == ObjectId::empty_tree(id.format()) {
            continue;
        }
        let Some((kind, data)) = read(directory, id)? else { continue };
        if kind == ObjectKind::Tree {
            for entry in gix::objs::TreeRefIter::from_bytes(&data, hash_kind(id.format())) {
                let entry = entry.map_err(|error| Error::corrupt(format_args!("tree {id}"), error))?;
                pending.extend((!entry.mode.is_commit()).then(|| crate::objects::from_gix(entry.oid)));
            }
        }
        if source.add(kind, data)? != id {
            return Err(Error::Corrupt(format!("object {id} of a merge has another name")));
        }
    }
    Ok(())
}

fn read(directory: &Path, id: ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>> {
    let name = id.to_string();
    let path = directory.join(&name[..2]).join(&name[2..]);
    let file = match std::fs::File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(Error::io(format!("open {}", path.display())))?,
    };
    let mut data = Vec::new();
    ZlibDecoder::new(file)
        .take(MAX_BYTES)
        .read_to_end(&mut data)
        .map_err(Error::io(format!("read {}", path.display())))?;
    let broken = || Error::Corrupt(format!("{} does not read", path.display()));
    let header = data.iter().position(|byte| *byte == 0).ok_or_else(broken)?;
    let kind = match data[..header].split(|byte| *byte == b' ').next() {
        Some(b"tree") => ObjectKind::Tree,
        Some(b"blob") => ObjectKind::Blob,
        Some(b"commit") => ObjectKind::Commit,
        _ => return Err(broken()),
    };
    data.drain(..=header);
    Ok(Some((kind, data)))
}
