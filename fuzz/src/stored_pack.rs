//! Packs as they lie in a repository: one that is damaged is an error, never a panic, and never an endless search.
//!
//! An input is two bytes of length, an index of that length, and the pack.

use std::sync::LazyLock;

use forge_git::untrusted::{open_packs, read_all};
use tempfile::TempDir;

use crate::pack::scratch;
use crate::support::{choice, format};

/// More objects than this are not read one by one: an index may claim any number.
const READ: usize = 64;

pub(crate) fn run(bytes: &[u8]) {
    static DIRECTORY: LazyLock<TempDir> = LazyLock::new(scratch);
    let (choice, bytes) = choice(bytes);
    let Some((length, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let (index, pack) = bytes.split_at(usize::from(u16::from_le_bytes(*length)).min(bytes.len()));
    for (name, bytes) in [("damaged.pack", pack), ("damaged.idx", index)] {
        std::fs::write(DIRECTORY.path().join(name), bytes).expect("there is room");
    }
    let Ok(set) = open_packs(format(choice), DIRECTORY.path()) else { return };
    for object in read_all(&set).take(READ) {
        let _ = object;
    }
}
