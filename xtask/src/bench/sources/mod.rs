//! The repositories that every server gets, made once and kept under `target/bench/`, the same on every machine.
//!
//! The stock server gets them as they lie here: bare, in one pack with a bitmap, refs packed. Ours get them by a push.

mod big;
mod history;
mod import;
mod large;
mod pushes;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) use pushes::{Push, Pushes};

use crate::{Result, command};

/// Raise it when what is generated changes, so that nobody measures old repositories.
const GENERATION: u32 = 1;

/// How large everything is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// The name of the folder.
    name: &'static str,
    /// Refs of the repository with many.
    pub(super) refs: usize,
    /// Commits on the main line of the large repository.
    large_commits: usize,
    /// Refs of the large repository.
    large_refs: usize,
    /// What the large repository must come to: objects, and bytes of its pack.
    large_least: (usize, u64),
    /// Bytes of the files of the big repository.
    big_bytes: usize,
    /// Commits made beforehand, each for one push.
    pushes: usize,
    /// Pushes before a repository counts as hot.
    pub(super) hot: usize,
}

impl Scale {
    /// What is measured.
    pub(super) const FULL: Self = Self {
        name: "full",
        refs: 20_000,
        large_commits: 22_500,
        large_refs: 5_000,
        large_least: (200_000, 60_000_000),
        big_bytes: 2_000_000_000,
        pushes: 5_000,
        hot: 2_000,
    };
    /// For trying the benchmark itself.
    pub(super) const QUICK: Self = Self {
        name: "quick",
        refs: 500,
        large_commits: 200,
        large_refs: 100,
        large_least: (2_000, 1_000_000),
        big_bytes: 40_000_000,
        pushes: 400,
        hot: 50,
    };
}

/// The repositories, and commits to push into them.
pub(super) struct Sources {
    folder: PathBuf,
    pub(super) scale: Scale,
    /// Five commits.
    pub(super) tiny: Source,
    /// The history of `tiny`, another one, and many branches.
    pub(super) refs: Source,
    /// A long history in many files.
    pub(super) large: Source,
    /// Single commits on `main` of `tiny`, which `refs` has, too.
    pub(super) small_pushes: Pushes,
    /// Single commits on `main` of `large`.
    pub(super) large_pushes: Pushes,
}

/// A bare repository, and what is known about it.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Each ref and its object.
    pub(super) refs: Vec<(String, String)>,
    /// How many objects its refs reach.
    pub(super) objects: u32,
    /// The size of its pack.
    pub(super) pack_bytes: u64,
}

impl Sources {
    /// Makes what is missing, which takes minutes the first time.
    pub(super) fn prepare(root: &Path, scale: Scale) -> Result<Self> {
        let folder = root.join("target/bench").join(format!("{}-{GENERATION}", scale.name));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let make = |name: &str, fill: &dyn Fn(&Path) -> Result<()>| -> Result<Source> {
            let path = folder.join(name);
            once(&path, |path| {
                init(path)?;
                fill(path)?;
                pack(path)
            })?;
            Source::open(path)
        };
        let tiny = make("tiny.git", &history::tiny)?;
        let refs = make("refs.git", &|path| history::refs(path, scale.refs))?;
        let large = make("large.git", &|path| large::fill(path, scale.large_commits, scale.large_refs))?;
        if (large.objects as usize) < scale.large_least.0 || large.pack_bytes < scale.large_least.1 {
            return Err(format!(
                "the large repository is too small: {} objects, {} bytes",
                large.objects, large.pack_bytes
            ));
        }
        let small_pushes = Pushes::prepare(&folder.join("small-pushes"), &tiny.path, scale.pushes)?;
        let large_pushes = Pushes::prepare(&folder.join("large-pushes"), &large.path, 20)?;
        Ok(Self { folder, scale, tiny, refs, large, small_pushes, large_pushes })
    }
}

impl Sources {
    /// Returns two gigabytes of large files, which are made when they are first needed.
    pub(super) fn big(&self) -> Result<Source> {
        let path = self.folder.join("big.git");
        once(&path, |path| {
            init(path)?;
            big::fill(path, self.scale.big_bytes)?;
            big::pack(path)
        })?;
        Source::open(path)
    }
}

fn init(path: &Path) -> Result<()> {
    run(Command::new("git").args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(path))
}

impl Source {
    fn open(path: PathBuf) -> Result<Self> {
        let listed = read(git(&path).args(["for-each-ref", "--format=%(objectname) %(refname)"]))?;
        let refs: Vec<_> = listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect();
        let counted = read(git(&path).args(["count-objects", "-v"]))?;
        let count = |name: &str| -> Option<u64> {
            counted.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
        };
        match (count("in-pack:"), count("size-pack:"), count("packs:"), count("count:")) {
            (Some(objects), Some(kilobytes), Some(1), Some(0)) => {
                Ok(Self { path, refs, objects: objects as u32, pack_bytes: kilobytes * 1024 })
            }
            _ => Err(format!("{} is not in one pack: {counted}", path.display())),
        }
    }

    /// Returns the objects of all refs, each once: what a clone wants.
    pub(super) fn tips(&self) -> Vec<String> {
        let mut tips: Vec<String> = self.refs.iter().map(|(_, id)| id.clone()).collect();
        tips.sort();
        tips.dedup();
        tips
    }

    /// Returns the object of a ref.
    pub(super) fn tip(&self, name: &str) -> Result<String> {
        let found = self.refs.iter().find(|(known, _)| known == name);
        found.map(|(_, id)| id.clone()).ok_or_else(|| format!("{} has no `{name}`", self.path.display()))
    }
}

/// Makes a file or folder under another name first, so that one that is there is whole.
fn once(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    eprintln!("making {}", path.display());
    let unfinished = path.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    let _ = fs::remove_file(&unfinished);
    make(&unfinished)?;
    fs::rename(&unfinished, path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Packs a repository as a careful administrator would.
fn pack(path: &Path) -> Result<()> {
    run(git(path).args(["pack-refs", "--all"]))?;
    run(git(path).args(["repack", "-adf", "--quiet", "--write-bitmap-index", "--window=10", "--depth=50"]))?;
    run(git(path).args(["commit-graph", "write", "--reachable", "--no-progress"]))
}

/// Returns git for this repository, apart from the configuration of whoever runs this.
pub(super) fn git(path: &Path) -> Command {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0");
    git.arg("-C").arg(path);
    git
}

/// Runs a command quietly; what it says is in the error.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

fn read(command: &mut Command) -> Result<String> {
    command::output(command).ok_or_else(|| format!("{command:?} failed"))
}
