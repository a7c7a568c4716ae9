//! Commits that are not in a repository yet, each with the thin pack that `git push` would send for it.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::import::{Commit, import};
use super::words::{Chance, Words, data};
use super::{git, once, read, run};
use crate::Result;

/// One commit to push.
pub(in super::super) struct Push {
    pub(in super::super) id: String,
    pub(in super::super) pack: Vec<u8>,
}

/// Many of them, in a fixed order.
pub(in super::super) struct Pushes(Vec<Push>);

impl Pushes {
    /// Makes so many commits, each on `main` of the repository and on nothing else, and keeps them in a file.
    pub(super) fn prepare(file: &Path, repository: &Path, count: usize) -> Result<Self> {
        once(file, |file| make(file, repository, count))?;
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut rest = bytes.as_slice();
        let mut pushes = Vec::new();
        while !rest.is_empty() {
            pushes.push(decode(&mut rest).ok_or_else(|| format!("{} is damaged", file.display()))?);
        }
        Ok(Self(pushes))
    }

    pub(in super::super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the push of this number.
    pub(in super::super) fn one(&self, number: usize) -> Result<&Push> {
        self.0.get(number).ok_or_else(|| format!("only {} pushes were made beforehand", self.0.len()))
    }
}

fn decode(rest: &mut &[u8]) -> Option<Push> {
    let (id, after) = rest.split_at_checked(40)?;
    let (length, after) = after.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    let (pack, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(Push { id: String::from_utf8(id.to_vec()).ok()?, pack: pack.to_vec() })
}

fn make(file: &Path, repository: &Path, count: usize) -> Result<()> {
    let copy = file.with_extension("git");
    let _ = fs::remove_dir_all(&copy);
    run(Command::new("cp").arg("-a").arg(repository).arg(&copy))?;
    let base = read(git(&copy).args(["rev-parse", "refs/heads/main"]))?;
    let marks = file.with_extension("marks");
    import(&copy, Some(&marks), |out| {
        let (words, mut chance) = (Words::new(), Chance::new(5));
        for number in 0..count {
            let (branch, message) = (format!("refs/heads/pushed/{number}"), words.line(&mut chance));
            let (branch, mark, message, from) =
                (branch.as_str(), 1 + number, message.trim(), Some(base.as_str()));
            Commit { branch, mark, number, message, from, merge: None }.write(out)?;
            writeln!(out, "M 100644 inline src/new{}.txt", number % 10)?;
            data(out, words.lines(&mut chance, 20).join("\n").as_bytes())?;
        }
        Ok(())
    })?;
    let listed = fs::read_to_string(&marks).map_err(|error| format!("{}: {error}", marks.display()))?;
    let mut ids: Vec<(usize, &str)> = listed
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .filter_map(|(mark, id)| Some((mark.parse().ok()?, id)))
        .collect();
    ids.sort_unstable();
    let mut out = Vec::new();
    for (_, id) in ids {
        let pack = thin_pack(&copy, id, &base)?;
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(&(pack.len() as u32).to_be_bytes());
        out.extend_from_slice(&pack);
    }
    let _ = fs::remove_dir_all(&copy);
    let _ = fs::remove_file(&marks);
    fs::write(file, out).map_err(|error| format!("{}: {error}", file.display()))
}

fn thin_pack(repository: &Path, id: &str, base: &str) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| format!("git pack-objects: {error}");
    let mut child = git(repository)
        .args([
            "pack-objects",
            "--revs",
            "--thin",
            "--stdout",
            "--quiet",
            "--delta-base-offset",
            "--threads=1",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        writeln!(stdin, "{id}\n^{base}").map_err(failed)?;
    }
    let mut pack = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut pack).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(pack) } else { Err(format!("git pack-objects ended with {status}")) }
}
