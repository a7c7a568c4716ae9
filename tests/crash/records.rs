//! What was recorded: changes to files as `recorder.c` wrote them down, and between them what was asked of the server and what
//! it said.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::worker::Tip;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Record {
    Created {
        inode: u64,
        path: PathBuf,
    },
    Written {
        inode: u64,
        offset: u64,
        data: Vec<u8>,
    },
    Cut {
        inode: u64,
        length: u64,
    },
    Synced {
        inode: u64,
    },
    DirectorySynced {
        path: PathBuf,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Linked {
        inode: u64,
        path: PathBuf,
    },
    Unlinked {
        path: PathBuf,
    },
    Made {
        path: PathBuf,
    },
    Removed {
        path: PathBuf,
    },
    /// A worker asked for a ref to point to something.
    Asked {
        worker: usize,
        name: String,
        tip: Tip,
    },
    /// The server said that what this worker asked for last is done.
    Told {
        worker: usize,
    },
}

/// The numbers of `enum kind` in `recorder.c`, and after them those of what is no change to a file.
const ASKED: u32 = 100;
const TOLD: u32 = 101;

/// The bytes of a record before its paths, without its length.
const HEAD: usize = 28;

/// Records what a server does.
pub(crate) struct Recorder {
    root: PathBuf,
    library: PathBuf,
    log: PathBuf,
    programs: PathBuf,
}

impl Recorder {
    /// Compiles the library and makes a place for the records; only what happens below `root` is recorded.
    pub(crate) fn prepare(root: &Path, folder: &Path) -> Self {
        let library = folder.join("recorder.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("crash/recorder.c");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let compiled = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([library.as_os_str(), source.as_os_str()])
            .arg("-ldl")
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let recorder = Self {
            root: root.canonicalize().unwrap(),
            library,
            log: folder.join("records"),
            programs: folder.join("programs"),
        };
        File::create(&recorder.log).unwrap();
        recorder.wrap_git();
        recorder
    }

    /// Puts a program before git that hands the recorder on: the server gives its children an environment of their own.
    fn wrap_git(&self) {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let git = std::env::split_paths(&search).map(|folder| folder.join("git")).find(|git| git.is_file());
        let exports: String =
            self.variables().map(|(name, value)| format!("export {name}='{}'\n", value.display())).concat();
        let text = format!("#!/bin/sh\n{exports}exec '{}' \"$@\"\n", git.unwrap().display());
        std::fs::create_dir(&self.programs).unwrap();
        let program = self.programs.join("git");
        std::fs::write(&program, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(program, mode).unwrap();
    }

    fn variables(&self) -> [(&'static str, &Path); 3] {
        [("LD_PRELOAD", &self.library), ("FORGE_RECORD_ROOT", &self.root), ("FORGE_RECORD_LOG", &self.log)]
    }

    /// Has a command and all that it starts recorded.
    pub(crate) fn record(&self, command: &mut Command) {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.programs.clone()).chain(std::env::split_paths(&search));
        command.env("PATH", std::env::join_paths(folders).unwrap()).envs(self.variables());
    }

    /// Returns where workers write what they ask and are told.
    pub(crate) fn marks(&self) -> Marks {
        Marks(Arc::new(File::options().append(true).open(&self.log).unwrap()))
    }

    /// Reads what was recorded so far.
    pub(crate) fn read(&self) -> Vec<Record> {
        let bytes = std::fs::read(&self.log).unwrap();
        let mut rest = &bytes[..];
        let mut records = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (record, after) = after.split_at(u32::from_ne_bytes(*length) as usize);
            records.push(parse(record));
            rest = after;
        }
        records
    }
}

/// Where what is asked and told is written down, in its order among the changes to files.
#[derive(Clone, Debug)]
pub(crate) struct Marks(Arc<File>);

impl Marks {
    pub(crate) fn asked(&self, worker: usize, name: &str, tip: &Tip) {
        self.put(ASKED, worker, name, tip.as_deref().unwrap_or_default());
    }

    pub(crate) fn told(&self, worker: usize) {
        self.put(TOLD, worker, "", "");
    }

    fn put(&self, kind: u32, worker: usize, first: &str, second: &str) {
        let mut bytes = Vec::new();
        bytes.extend(((HEAD + first.len() + second.len()) as u32).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((worker as u64).to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend((first.len() as u32).to_ne_bytes());
        bytes.extend((second.len() as u32).to_ne_bytes());
        bytes.extend([first.as_bytes(), second.as_bytes()].concat());
        // One write, so that nobody else's record comes into it.
        (&*self.0).write_all(&bytes).unwrap();
    }
}

fn parse(record: &[u8]) -> Record {
    let number = |at: usize| u32::from_ne_bytes(record[at..at + 4].try_into().unwrap());
    let long = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().unwrap());
    let (inode, offset) = (long(4), long(12));
    let (first, second) = record[HEAD..].split_at(number(20) as usize);
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    match number(0) {
        1 => Record::Created { inode, path: path(first) },
        2 => Record::Written { inode, offset, data: first.to_vec() },
        3 => Record::Cut { inode, length: offset },
        4 => Record::Synced { inode },
        5 => Record::DirectorySynced { path: path(first) },
        6 => Record::Renamed { from: path(first), to: path(second) },
        7 => Record::Linked { inode, path: path(first) },
        8 => Record::Unlinked { path: path(first) },
        9 => Record::Made { path: path(first) },
        10 => Record::Removed { path: path(first) },
        ASKED => {
            let tip = String::from_utf8(second.to_vec()).unwrap();
            let name = String::from_utf8(first.to_vec()).unwrap();
            Record::Asked { worker: inode as usize, name, tip: Some(tip).filter(|tip| !tip.is_empty()) }
        }
        TOLD => Record::Told { worker: inode as usize },
        _ => panic!("a change that the images cannot hold: {}", path(first).display()),
    }
}
