//! Git repositories to push.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns `git` that neither the user's nor the machine's configuration reaches, and that never asks a question.
pub fn git(folder: &Path) -> Command {
    this_git(Path::new("git"), folder)
}

/// Returns this `git`, configured by nobody either.
pub fn this_git(program: &Path, folder: &Path) -> Command {
    let mut git = Command::new(program);
    git.current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .envs([("GIT_AUTHOR_NAME", "Test"), ("GIT_AUTHOR_EMAIL", "test@forge.example")])
        .envs([("GIT_COMMITTER_NAME", "Test"), ("GIT_COMMITTER_EMAIL", "test@forge.example")])
        .env_remove("GIT_DIR")
        .stdin(Stdio::null());
    git
}

/// Runs a command and returns what it printed.
///
/// # Panics
/// When it fails, with everything it said.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// What a generated repository holds.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// How many commits, one after another.
    pub commits: u32,
    /// How many bytes each commit adds; they do not compress.
    pub bytes_per_commit: usize,
}

/// Writes a bare repository with a long history on `main`, always the same for the same numbers.
///
/// # Panics
/// When git cannot write it.
pub fn generate(folder: &Path, history: History) {
    succeed(git(Path::new("/")).args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(folder));
    let mut importer = git(folder)
        .args(["-c", "core.compression=0", "fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git fast-import starts");
    let pipe = importer.stdin.take().expect("the pipe was asked for");
    let written = write_history(BufWriter::new(pipe), history);
    let status = importer.wait().expect("git fast-import ends");
    assert!(written.is_ok() && status.success(), "git fast-import ended with {status}: {written:?}");
}

fn write_history(mut out: impl Write, history: History) -> io::Result<()> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut blob = vec![0_u8; history.bytes_per_commit];
    for number in 1..=history.commits {
        for chunk in blob.chunks_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
        }
        let message = format!("change {number}");
        let time = 1_700_000_000 + u64::from(number) * 60;
        writeln!(out, "commit refs/heads/main")?;
        writeln!(out, "committer Test <test@forge.example> {time} +0000")?;
        writeln!(out, "data {}\n{message}", message.len())?;
        writeln!(out, "M 100644 inline data/{}/{}", number % 61, number % 59)?;
        writeln!(out, "data {}", blob.len())?;
        out.write_all(&blob)?;
        writeln!(out)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_repository_has_the_commits_and_the_bytes_that_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("long.git");
        generate(&repository, History { commits: 300, bytes_per_commit: 1000 });
        assert_eq!(succeed(git(&repository).args(["rev-list", "--count", "main"])).trim(), "300");
        let sizes = succeed(git(&repository).args(["count-objects", "-v"]));
        let packed = sizes.lines().find_map(|line| line.strip_prefix("size-pack: ")).unwrap();
        assert!(packed.parse::<u32>().unwrap() >= 300, "{sizes}");
        succeed(git(&repository).args(["fsck", "--strict", "--no-progress"]));
    }
}
