//! Running other programs: shown before they run, never with our standard input, never with a failure hidden.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::Result;

/// Runs the command with its output on standard error: standard output is for what a command of ours prints.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("\n$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed: {status}")) }
}

/// Runs the command and returns the lines it wrote to the chosen stream, which are shown as they come.
pub(crate) fn run_and_keep(command: &mut Command, stream: Stream) -> (Result<()>, Vec<String>) {
    let shown = show(command);
    eprintln!("\n$ {shown}");
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = match command.stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => return (Err(format!("cannot start `{shown}`: {error}")), Vec::new()),
    };
    let lines = match stream {
        Stream::Output => child.stdout.take().map(|pipe| copy_lines(pipe, std::io::stdout())),
        Stream::Error => child.stderr.take().map(|pipe| copy_lines(pipe, std::io::stderr())),
    };
    let result = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed: {status}")),
        Err(error) => Err(format!("cannot wait for `{shown}`: {error}")),
    };
    (result, lines.unwrap_or_default())
}

/// Which of a program's two output streams is kept.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

fn copy_lines(source: impl std::io::Read, mut target: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(source);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
        // A terminal that went away is no reason to stop reading: the program would block on a full pipe.
        let _ = target.write_all(&bytes).and_then(|()| target.flush());
        lines.push(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        bytes.clear();
    }
    lines
}

/// Returns the standard output of the command, or nothing when it fails or does not exist.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns whether a program of this name is on the search path.
pub(crate) fn exists(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Returns whether this process runs as root.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Returns cargo as it was called, so that a chosen toolchain stays chosen.
///
/// What `cargo run` told us about our own package is left out: build scripts watch those variables, and whatever depends on
/// them would be built anew whenever cargo is called by us after it was called by hand, and the other way round.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    if let Some(name) = words[0].rsplit('/').next() {
        words[0] = name.to_owned();
    }
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_does_not_hear_about_our_package() {
        let cargo = cargo();
        let removed: Vec<_> = cargo.get_envs().filter(|(_, value)| value.is_none()).collect();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
            assert!(std::env::var_os(name).is_some(), "cargo sets {name} for this test");
            assert!(removed.iter().any(|(removed, _)| *removed == name), "{name}");
        }
    }
}
