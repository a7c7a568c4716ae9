//! Repositories made by real `git`, and the other end of the wire.

#![expect(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod files;
pub(crate) mod random;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forge_git::objects::Objects;
use forge_git::receive::{Capabilities, IngestLimits, Quarantine, Reply};
use forge_git::wire::{Ref, RefSnapshot};
use forge_git::{Error, GitProgram, PackInfo, Packs, ProcessLimits, Processes, Repository, Storage};
use forge_types::{ObjectFormat, ObjectId, RefName};

/// A storage with one repository, and a working repository of plain `git` beside it.
pub(crate) struct Bench {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) storage: Storage,
    pub(crate) repository: Repository,
    pub(crate) processes: Processes,
    pub(crate) work: Git,
    unique: Cell<u128>,
}

/// A repository that plain `git` works in.
pub(crate) struct Git {
    pub(crate) path: PathBuf,
}

impl Git {
    pub(crate) fn init(path: PathBuf, args: &[&str]) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let git = Self { path };
        git.run(&[&["init", "--quiet", "--initial-branch=main"], args].concat());
        git
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/nonexistent");
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "A U Thor")
                .env(format!("GIT_{role}_EMAIL"), "author@example.com");
            command.env(format!("GIT_{role}_DATE"), "1700000000 +0100");
        }
        command.arg("-C").arg(&self.path).args(args);
        command
    }

    /// Runs a command that must succeed and returns what it printed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        String::from_utf8(self.pipe(args, b"")).unwrap().trim().to_owned()
    }

    /// Runs a command with input and returns its output.
    pub(crate) fn pipe(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.try_pipe(args, input);
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub(crate) fn try_pipe(&self, args: &[&str], input: &[u8]) -> std::process::Output {
        use std::io::Write;
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let feed = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        feed.join().unwrap();
        output
    }

    /// Commits a file and returns the commit.
    pub(crate) fn commit(&self, file: &str, text: &str) -> ObjectId {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self.run(&["add", "."]);
        self.run(&["commit", "--quiet", "-m", &format!("change {file}")]);
        self.id("HEAD")
    }

    pub(crate) fn id(&self, revision: &str) -> ObjectId {
        self.run(&["rev-parse", revision]).parse().unwrap()
    }

    /// Packs what the revisions reach; `^x` excludes. Thin as a push would be.
    pub(crate) fn pack(&self, revisions: &[&str]) -> Vec<u8> {
        let args = ["pack-objects", "--revs", "--stdout", "--thin", "--delta-base-offset", "-q"];
        self.pipe(&args, (revisions.join("\n") + "\n").as_bytes())
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_limits(ProcessLimits::default())
    }

    pub(crate) fn with_limits(limits: ProcessLimits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::open(directory.path().join("repositories")).unwrap();
        let repository = storage.repository(1, ObjectFormat::Sha1);
        let processes = Processes::new(GitProgram::find().unwrap(), limits);
        let work = Git::init(directory.path().join("work"), &[]);
        Self { directory, storage, repository, processes, work, unique: Cell::new(1) }
    }

    /// A number that no pack of this bench has.
    pub(crate) fn unique(&self) -> u128 {
        self.unique.set(self.unique.get() + 1);
        self.unique.get()
    }

    /// Takes a pack in and checks that the tips are connected, as a push would.
    pub(crate) async fn push(
        &self,
        pack: &[u8],
        tips: &[ObjectId],
        current: &[ObjectId],
    ) -> Result<Option<PackInfo>, Error> {
        let mut quarantine = Quarantine::open(&self.packs(), self.unique())?;
        let (reply, _body) = Reply::channel(&Capabilities::default());
        quarantine.ingest(&self.processes, &mut &pack[..], &IngestLimits::default(), &reply).await?;
        quarantine.check_connectivity(&self.processes, tips, current.iter().copied()).await?;
        let pack = quarantine.publish().await?;
        if let Some(pack) = &pack {
            self.repository.settle(&pack.name)?;
        }
        Ok(pack)
    }

    /// The packs that are there now.
    pub(crate) fn packs(&self) -> Packs {
        Packs::of_directory(self.repository.clone())
    }

    /// Brings everything that refs of the working repository reach into the repository, and opens it.
    pub(crate) fn objects(&self) -> Objects {
        self.repository.create().unwrap();
        let stored = Git { path: self.repository.path().to_owned() };
        let pack = self.work.pipe(&["pack-objects", "--revs", "--all", "--stdout", "-q"], b"");
        let _ = stored.pipe(&["index-pack", "--stdin", "--fix-thin"], &pack);
        Objects::open(&self.repository).unwrap()
    }

    /// The refs of the working repository as a snapshot.
    pub(crate) fn snapshot(&self) -> RefSnapshot {
        let text = self.work.run(&["for-each-ref", "--format=%(objectname) %(refname) %(*objectname)"]);
        let refs = text.lines().map(|line| {
            let mut parts = line.split(' ');
            let id = parts.next().unwrap().parse().unwrap();
            let name = RefName::new(parts.next().unwrap()).unwrap();
            Ref { name, id, peeled: parts.next().and_then(|id| id.parse().ok()) }
        });
        RefSnapshot::new(ObjectFormat::Sha1, RefName::branch("main").unwrap(), refs.collect())
    }

    /// What lies in the object directory beside packs: nothing, when all is well.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let names = |path: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(path).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let objects = self.repository.path().join("objects");
        let mut found: Vec<String> =
            names(&objects).into_iter().filter(|name| name != "pack" && name != "info").collect();
        let is_pack = |name: &String| name.starts_with("pack-") && !name.ends_with(".keep");
        found.extend(names(&objects.join("pack")).into_iter().filter(|name| !is_pack(name)));
        found.extend(names(&self.directory.path().join("repositories/tmp")));
        found
    }

    pub(crate) fn pack_count(&self) -> usize {
        let entries = std::fs::read_dir(self.repository.path().join("objects/pack")).into_iter().flatten();
        entries
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "pack"))
            .count()
    }

    /// Runs `git fsck --strict` over the repository as if it had these refs.
    pub(crate) fn fsck(&self, tips: &[ObjectId]) {
        let git = Git { path: self.repository.path().to_owned() };
        let tips: Vec<String> = tips.iter().map(ToString::to_string).collect();
        let mut args = vec!["fsck", "--strict", "--no-dangling"];
        args.extend(tips.iter().map(String::as_str));
        let _ = git.pipe(&args, b"");
    }
}
