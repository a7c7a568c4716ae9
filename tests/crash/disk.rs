//! A disk that forgets: what files and directories hold for those who look now, and what of it is there after the power was cut.
//!
//! Kept for certain is what POSIX promises: the bytes of a file as they were when it was last synced, the entries of a directory as
//! they were when that was. Of later bytes any may be there, whatever their order. Of later entries those up to some moment are
//! there, in their order, for all directories at once, as in a journal; a name that is moved between two directories is moved for
//! certain when either was synced.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::life::Random;
use crate::records::Record;

/// The number of a file or directory.
type Node = usize;

/// The directory of everything.
const TOP: Node = 0;

type Entries = HashMap<Node, BTreeMap<OsString, Node>>;

/// A disk.
pub(crate) struct Disk {
    root: PathBuf,
    /// For each number, what the file holds; nothing for a directory.
    files: Vec<Option<Content>>,
    by_inode: HashMap<u64, Node>,
    /// What is seen now.
    now: Entries,
    /// What was there at the beginning.
    first: Entries,
    changes: Vec<Change>,
}

#[derive(Default)]
struct Content {
    synced: Vec<u8>,
    pending: Vec<Piece>,
}

enum Piece {
    Written { offset: u64, data: Vec<u8> },
    Cut(u64),
}

/// A change of the entries of directories.
struct Change {
    /// An entry that is gone.
    old: Option<(Node, OsString)>,
    /// An entry that is there, and what it names.
    new: Option<(Node, OsString, Node)>,
    is_certain: bool,
}

/// What is kept of what is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    /// Nothing.
    None,
    /// Some bytes, and the entries up to some moment.
    Some,
    /// Everything.
    All,
    /// Not even what is certain: a disk that lies, to see that it is noticed.
    Broken,
}

impl Disk {
    /// Returns a disk with what lies in a directory, all of it certain.
    pub(crate) fn of(root: &Path) -> Self {
        let root = root.canonicalize().unwrap();
        let mut disk = Self {
            root: root.clone(),
            files: vec![None],
            by_inode: HashMap::new(),
            now: HashMap::from([(TOP, BTreeMap::new())]),
            first: HashMap::new(),
            changes: Vec::new(),
        };
        disk.load(&root, TOP);
        disk.first = disk.now.clone();
        disk
    }

    fn load(&mut self, directory: &Path, node: Node) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let found = path.symlink_metadata().unwrap();
            let content = if found.is_file() {
                Some(Content { synced: fs::read(&path).unwrap(), pending: Vec::new() })
            } else if found.is_dir() {
                None
            } else {
                continue;
            };
            let child = self.add(content);
            self.enter(node, path.file_name().unwrap().to_owned(), child);
            if found.is_dir() {
                self.load(&path, child);
            } else {
                self.by_inode.insert(found.ino(), child);
            }
        }
    }

    fn add(&mut self, content: Option<Content>) -> Node {
        self.files.push(content);
        self.files.len() - 1
    }

    fn enter(&mut self, directory: Node, name: OsString, child: Node) {
        self.now.entry(directory).or_default().insert(name, child);
    }

    fn find(&self, path: &Path) -> Option<Node> {
        let below = path.strip_prefix(&self.root).ok()?;
        below.iter().try_fold(TOP, |node, name| self.now.get(&node)?.get(name).copied())
    }

    fn place(&self, path: &Path) -> (Node, OsString) {
        let parent = path.parent().and_then(|parent| self.find(parent));
        let parent = parent.unwrap_or_else(|| panic!("{} lies nowhere", path.display()));
        (parent, path.file_name().unwrap().to_owned())
    }

    fn content(&mut self, inode: u64) -> Option<&mut Content> {
        let node = *self.by_inode.get(&inode)?;
        self.files[node].as_mut()
    }

    /// Does what was recorded.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Created { inode, path } => {
                self.make_above(path);
                let node = self.add(Some(Content::default()));
                self.by_inode.insert(*inode, node);
                self.put(path, node);
            }
            Record::Made { path } => {
                self.make_above(path);
                self.make(path);
            }
            Record::Linked { inode, path } => {
                let node = self.by_inode[inode];
                self.put(path, node);
            }
            Record::Renamed { from, to } => {
                let (old, new) = (self.place(from), self.place(to));
                let node = self.find(from).unwrap_or_else(|| panic!("{} is not there", from.display()));
                self.change(Some(old), Some((new.0, new.1, node)));
            }
            Record::Unlinked { path } | Record::Removed { path } => {
                let old = self.place(path);
                self.change(Some(old), None);
            }
            Record::Written { inode, offset, data } => {
                if let Some(content) = self.content(*inode) {
                    content.pending.push(Piece::Written { offset: *offset, data: data.clone() });
                }
            }
            Record::Cut { inode, length } => {
                if let Some(content) = self.content(*inode) {
                    content.pending.push(Piece::Cut(*length));
                }
            }
            Record::Synced { inode } => {
                if let Some(content) = self.content(*inode) {
                    for piece in std::mem::take(&mut content.pending) {
                        piece.put_into(&mut content.synced);
                    }
                }
            }
            Record::DirectorySynced { path } => {
                let Some(node) = self.find(path) else { return };
                for change in &mut self.changes {
                    change.is_certain |= change.is_in(node);
                }
            }
            Record::Asked { .. } | Record::Told { .. } => {}
        }
    }

    /// Of two threads, the one that made a directory may be recorded after the one that made something in it. What lies in a
    /// directory proves that it is there.
    fn make_above(&mut self, path: &Path) {
        let below =
            path.strip_prefix(&self.root).unwrap_or_else(|_| panic!("{} lies elsewhere", path.display()));
        let mut above: Vec<PathBuf> = below.ancestors().skip(1).map(|part| self.root.join(part)).collect();
        above.reverse();
        above.iter().for_each(|directory| self.make(directory));
    }

    fn make(&mut self, path: &Path) {
        if self.find(path).is_none() {
            let node = self.add(None);
            self.put(path, node);
        }
    }

    fn put(&mut self, path: &Path, node: Node) {
        let (directory, name) = self.place(path);
        self.change(None, Some((directory, name, node)));
    }

    fn change(&mut self, old: Option<(Node, OsString)>, new: Option<(Node, OsString, Node)>) {
        let change = Change { old, new, is_certain: false };
        change.apply(&mut self.now);
        self.changes.push(change);
    }

    /// Writes what is left of it after the power was cut into a directory that is not there yet.
    pub(crate) fn write_image(&self, target: &Path, luck: Luck, random: &mut Random) {
        let until = match luck {
            Luck::None | Luck::Broken => 0,
            Luck::Some => random.below(self.changes.len() + 1),
            Luck::All => self.changes.len(),
        };
        let mut entries = self.first.clone();
        for (at, change) in self.changes.iter().enumerate() {
            if at < until || change.is_certain && luck != Luck::Broken {
                change.apply(&mut entries);
            }
        }
        self.write_directory(&entries, TOP, target, luck, random);
    }

    fn write_directory(&self, entries: &Entries, node: Node, target: &Path, luck: Luck, random: &mut Random) {
        fs::create_dir(target).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(target, mode).unwrap();
        for (name, child) in entries.get(&node).into_iter().flatten() {
            let path = target.join(name);
            match &self.files[*child] {
                None => self.write_directory(entries, *child, &path, luck, random),
                Some(_) if is_shared_memory(&path) => {}
                Some(content) => {
                    let bytes = content.left(luck, random);
                    let mut options = fs::File::options();
                    let file = options.write(true).create_new(true).mode(0o600).open(&path);
                    std::io::Write::write_all(&mut file.unwrap(), &bytes).unwrap();
                }
            }
        }
    }

    /// Compares what is seen now with what lies in the directory: if they differ, something was not recorded.
    pub(crate) fn compare(&self) {
        let image = tempfile::tempdir().unwrap();
        let copy = image.path().join("copy");
        self.write_image(&copy, Luck::All, &mut Random::new(0));
        let (recorded, real) = (files(&copy), files(&self.root));
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&recorded), names(&real), "not everything was recorded");
        for (path, bytes) in real {
            assert!(recorded[&path] == bytes, "not everything in {} was recorded", path.display());
        }
    }
}

impl Change {
    fn is_in(&self, directory: Node) -> bool {
        let old = self.old.as_ref().map(|(found, _)| *found);
        let new = self.new.as_ref().map(|(found, ..)| *found);
        old == Some(directory) || new == Some(directory)
    }

    fn apply(&self, entries: &mut Entries) {
        if let Some((directory, name)) = &self.old {
            entries.entry(*directory).or_default().remove(name);
        }
        if let Some((directory, name, child)) = &self.new {
            entries.entry(*directory).or_default().insert(name.clone(), *child);
        }
    }
}

impl Content {
    fn left(&self, luck: Luck, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        let count = self.pending.len();
        let (until, skips) = match luck {
            Luck::None | Luck::Broken => (0, false),
            Luck::All => (count, false),
            Luck::Some => (random.below(count + 1), random.below(2) == 0),
        };
        for piece in &self.pending[..until] {
            if !skips || random.below(2) == 0 {
                piece.put_into(&mut bytes);
            }
        }
        bytes
    }
}

impl Piece {
    fn put_into(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(length) => bytes.resize(*length as usize, 0),
            Self::Written { offset, data } => {
                let end = *offset as usize + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset as usize..end].copy_from_slice(data);
            }
        }
    }
}

/// SQLite keeps there what its processes tell one another: it is mapped, never synced, and made anew.
fn is_shared_memory(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if kind.is_dir() {
                found.insert(name, Vec::new());
                open.push(path);
            } else if kind.is_file() && !is_shared_memory(&path) {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
