//! Filling a repository by `git fast-import`.

use std::io::{BufWriter, Result as IoResult, Write};
use std::path::Path;
use std::process::Stdio;

use super::git;
use super::words::data;
use crate::Result;

/// Runs `git fast-import` on what is written, and has it name the object of each mark in a file.
pub(super) fn import(
    repository: &Path,
    marks: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> IoResult<()>,
) -> Result<()> {
    let mut command = git(repository);
    command.args(["fast-import", "--quiet", "--force"]);
    if let Some(marks) = marks {
        command.arg(format!("--export-marks={}", marks.display()));
    }
    let failed = |error: std::io::Error| format!("git fast-import: {error}");
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    let written = match child.stdin.take() {
        Some(stdin) => {
            let mut out = BufWriter::with_capacity(1 << 20, stdin);
            write(&mut out).and_then(|()| out.flush())
        }
        None => Ok(()),
    };
    let status = child.wait().map_err(failed)?;
    written.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("git fast-import ended with {status}")) }
}

/// A commit about to be written.
pub(super) struct Commit<'a> {
    pub(super) branch: &'a str,
    pub(super) mark: usize,
    pub(super) number: usize,
    pub(super) message: &'a str,
    /// A mark or an object.
    pub(super) from: Option<&'a str>,
    pub(super) merge: Option<&'a str>,
}

impl Commit<'_> {
    /// Writes everything but the changed files.
    pub(super) fn write(&self, out: &mut dyn Write) -> IoResult<()> {
        let person = person(self.number);
        writeln!(out, "commit {}\nmark :{}\nauthor {person}\ncommitter {person}", self.branch, self.mark)?;
        data(out, self.message.as_bytes())?;
        if let Some(from) = self.from {
            writeln!(out, "from {from}")?;
        }
        if let Some(merge) = self.merge {
            writeln!(out, "merge {merge}")?;
        }
        Ok(())
    }
}

/// Returns name, address and time of whoever made the commit of this number.
pub(super) fn person(number: usize) -> String {
    let who = number * 7 % 40;
    format!("Person {who} <person{who}@bench.example> {} +0000", 1_500_000_000 + number * 900)
}
