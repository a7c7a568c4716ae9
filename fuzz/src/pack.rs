//! Packs of pushes, as they are taken in without git: what is written reads as what was taken, and nothing else is in it.
//!
//! An input is a small program that makes a pack, because a random one would fail at its checksums: see [`build`].

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use forge_git::PackSet;
use forge_git::untrusted::{NamedObject, open_packs, read_all, take_pack};
use forge_types::ObjectFormat;
use sha1::Digest as _;
use tempfile::TempDir;

use crate::support::{choice, format};

/// What the repository has before the push: packs may build on it.
struct Known {
    set: PackSet,
    ids: Vec<Vec<u8>>,
    directory: TempDir,
}

static KNOWN: LazyLock<[Known; 2]> = LazyLock::new(|| [ObjectFormat::Sha1, ObjectFormat::Sha256].map(known));

/// Returns a directory in memory, if there is one.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a directory for what is tried")
}

fn known_of(format: ObjectFormat) -> &'static Known {
    &KNOWN[usize::from(format != ObjectFormat::Sha1)]
}

fn known(format: ObjectFormat) -> Known {
    let blob = b"first line\nsecond line\nthird line\n".to_vec();
    let blob_id = name_of(format, "blob", &blob);
    let tree = [&b"100644 file\0"[..], &blob_id].concat();
    let tree_id = name_of(format, "tree", &tree);
    let commit = format!(
        "tree {}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nfirst\n",
        HEXLOWER.encode(&tree_id)
    );
    let commit_id = name_of(format, "commit", commit.as_bytes());
    let mut pack = Builder::new(format, Vec::new());
    for (kind, data) in [(3, &blob[..]), (2, &tree), (1, commit.as_bytes())] {
        pack.whole(kind, data);
    }
    let directory = scratch();
    let none = open_packs(format, directory.path()).expect("an empty directory");
    let taken = take_pack(&pack.finish(), &none, directory.path()).expect("it is written");
    let taken = taken.expect("it is an ordinary pack");
    assert!(taken.objects.len() == 3 && taken.is_connected);
    let set = open_packs(format, directory.path()).expect("it was written");
    Known { set, ids: vec![blob_id, tree_id, commit_id], directory }
}

pub(crate) fn name_of(format: ObjectFormat, kind: &str, data: &[u8]) -> Vec<u8> {
    hash(format, &[format!("{kind} {}\0", data.len()).as_bytes(), data].concat())
}

fn hash(format: ObjectFormat, bytes: &[u8]) -> Vec<u8> {
    match format {
        ObjectFormat::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
        ObjectFormat::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
    }
}

/// A pack, and the repository that it is pushed to.
#[derive(Debug)]
pub struct Push {
    /// The hash function of both.
    pub format: ObjectFormat,
    /// The bytes of the pack.
    pub pack: Vec<u8>,
    /// The directory of the packs that the repository has.
    pub known: PathBuf,
}

/// Returns the push that an input stands for.
pub fn push(bytes: &[u8]) -> Push {
    let (choice, bytes) = choice(bytes);
    let format = format(choice);
    let pack = if choice & 2 == 0 { build(format, bytes) } else { raw(format, bytes) };
    Push { format, pack, known: known_of(format).directory.path().to_owned() }
}

/// Is the pack accepted without git?
pub fn is_accepted(push: &Push) -> bool {
    let directory = scratch();
    let taken = take_pack(&push.pack, &known_of(push.format).set, directory.path());
    taken.expect("a pack is taken, or left to git").is_some_and(|taken| taken.is_connected)
}

pub(crate) fn run(bytes: &[u8]) {
    static DIRECTORY: LazyLock<TempDir> = LazyLock::new(scratch);
    let Push { format, pack, .. } = push(bytes);
    let known = known_of(format);
    let directory = DIRECTORY.path();
    let taken = take_pack(&pack, &known.set, directory).expect("a pack is taken, or left to git");
    let Some(mut taken) = taken.map(|taken| taken.objects) else { return };
    let written = open_packs(format, directory).expect("what was written opens");
    let mut stored: Vec<NamedObject> =
        read_all(&written).map(|object| object.expect("what was written reads")).collect();
    for file in ["small.idx", "small.pack"] {
        std::fs::remove_file(directory.join(file)).expect("it was written");
    }
    // Bases that the pack lacked were added to it.
    stored.retain(|(id, ..)| {
        taken.iter().any(|(taken, ..)| taken == id) || !known.ids.iter().any(|known| known == id.as_bytes())
    });
    taken.sort_by_key(|(id, ..)| *id);
    assert_eq!(stored, taken);
    for (id, kind, data) in &taken {
        assert_eq!(id.as_bytes(), name_of(format, kind.as_str(), data));
    }
}

/// Any bytes between the header and the checksum; the first says how many entries are claimed.
fn raw(format: ObjectFormat, bytes: &[u8]) -> Vec<u8> {
    let (count, bytes) = choice(bytes);
    let mut pack = b"PACK\0\0\0\x02\0\0\0".to_vec();
    pack.push(count);
    pack.extend_from_slice(bytes);
    pack.extend(hash(format, &pack));
    pack
}

/// Builds a pack: for each entry a byte of kind, one that names a base, two of length, and the data.
///
/// In the data, `\x01` and a number stand for the id of a known object or of an earlier entry, `\x02` and a number for its
/// digits, so that trees and commits can point to something.
fn build(format: ObjectFormat, bytes: &[u8]) -> Vec<u8> {
    let known = known_of(format);
    let mut pack = Builder::new(format, known.ids.clone());
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[2], head[3]])).min(after.len());
        let (data, after) = after.split_at(length);
        rest = after;
        let (kind, base) = (head[0] & 7, usize::from(head[1]));
        let data = if matches!(kind, 1 | 2 | 4) { pack.with_ids(data) } else { data.to_vec() };
        match kind {
            6 => pack.delta_before(base, &data),
            7 => pack.delta_named(base, &data),
            kind => pack.whole(kind, &data),
        }
    }
    pack.finish()
}

struct Builder {
    format: ObjectFormat,
    bytes: Vec<u8>,
    begins: Vec<usize>,
    /// What can be pointed to.
    ids: Vec<Vec<u8>>,
}

impl Builder {
    fn new(format: ObjectFormat, ids: Vec<Vec<u8>>) -> Self {
        Self { format, bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), begins: Vec::new(), ids }
    }

    fn with_ids(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len());
        let mut rest = data.iter();
        while let Some(byte) = rest.next() {
            match byte {
                1 | 2 => {
                    let at = rest.next().map_or(0, |number| usize::from(*number));
                    let Some(id) = self.ids.get(at % self.ids.len().max(1)) else { continue };
                    match byte {
                        1 => out.extend_from_slice(id),
                        _ => out.extend_from_slice(HEXLOWER.encode(id).as_bytes()),
                    }
                }
                byte => out.push(*byte),
            }
        }
        out
    }

    fn begin(&mut self, kind: u8, size: usize) {
        self.begins.push(self.bytes.len());
        let mut byte = kind << 4 | (size & 15) as u8;
        let mut rest = size >> 4;
        while rest > 0 {
            self.bytes.push(byte | 0x80);
            byte = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        self.bytes.push(byte);
    }

    fn deflate(&mut self, data: &[u8]) {
        let mut encoder = ZlibEncoder::new(&mut self.bytes, Compression::none());
        std::io::Write::write_all(&mut encoder, data).expect("memory does not fail");
        encoder.finish().expect("memory does not fail");
    }

    fn whole(&mut self, kind: u8, data: &[u8]) {
        self.begin(kind, data.len());
        self.deflate(data);
        if let Some(kind) = ["", "commit", "tree", "blob", "tag"].get(usize::from(kind)) {
            self.ids.push(name_of(self.format, kind, data));
        }
    }

    /// A difference to an earlier entry, or to a place where none is.
    fn delta_before(&mut self, base: usize, delta: &[u8]) {
        let at = self.bytes.len();
        let base = self.begins.get(base).copied().unwrap_or(at.saturating_sub(base));
        self.begin(6, delta.len());
        let mut distance = at - base;
        let mut digits = vec![(distance & 0x7f) as u8];
        while distance > 0x7f {
            distance = (distance >> 7) - 1;
            digits.push(0x80 | (distance & 0x7f) as u8);
        }
        self.bytes.extend(digits.iter().rev());
        self.deflate(delta);
    }

    fn delta_named(&mut self, base: usize, delta: &[u8]) {
        self.begin(7, delta.len());
        match self.ids.get(base) {
            Some(id) => self.bytes.extend_from_slice(id),
            None => self.bytes.extend(std::iter::repeat_n(base as u8, self.format.raw_len())),
        }
        self.deflate(delta);
    }

    fn finish(mut self) -> Vec<u8> {
        let count = u32::try_from(self.begins.len()).expect("an input is small");
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        let sum = hash(self.format, &self.bytes);
        self.bytes.extend(sum);
        self.bytes
    }
}
