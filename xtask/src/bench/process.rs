//! Servers as processes that end with this one, and the memory they take.
//!
//! INVARIANT: whatever is started here ends with this process, however that ends. A shell that leads a process group of its
//! own holds the other end of a pipe; when the pipe closes it ends its group, as in `postgres.rs`.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::Result;

/// `$1` is the file for what the program says, the rest is the program.
const KEEPER: &str = r#"
log=$1; shift
"$@" >>"$log" 2>&1 </dev/null &
echo $!
cat >/dev/null
trap '' TERM
kill -TERM 0
wait
"#;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server; dropping it ends it and its children.
pub(super) struct Kept {
    keeper: Child,
    pub(super) pid: u32,
    log: PathBuf,
}

impl Kept {
    /// Starts the program without the variables that configure a forge.
    pub(super) fn start(program: &[String], log: &Path) -> Result<Self> {
        let mut command = Command::new("sh");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FORGE_") {
                command.env_remove(name);
            }
        }
        let mut keeper = command
            .args(["-c", KEEPER, "keeper"])
            .arg(log)
            .args(program)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start a shell for `{}`: {error}", program.join(" ")))?;
        let mut line = String::new();
        if let Some(output) = keeper.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let pid = line.trim().parse().map_err(|_| format!("`{}` did not start", program.join(" ")))?;
        Ok(Self { keeper, pid, log: log.to_owned() })
    }

    /// Returns the end of what it has said.
    pub(super) fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Memory of processes, in megabytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Memory {
    /// Resident, added up: pages that processes share, as those of mapped packs, count for each.
    pub(super) resident: f64,
    /// Of it, what belongs to no file.
    pub(super) anonymous: f64,
}

/// Returns what these processes and all below them take now.
pub(super) fn memory(roots: &[u32]) -> Memory {
    let mut memory = Memory::default();
    for pid in family(roots, &parents()) {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        memory.resident += kilobytes(&text, "VmRSS:") / 1000.0;
        memory.anonymous += kilobytes(&text, "RssAnon:") / 1000.0;
    }
    memory
}

/// Does the work and returns the most memory that these processes and all below them took meanwhile.
pub(super) fn peak_memory(roots: &[u32], work: impl FnOnce() -> Result<()>) -> Result<Memory> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = Memory::default();
            while !is_over.load(Ordering::Relaxed) {
                let now = memory(roots);
                peak.resident = peak.resident.max(now.resident);
                peak.anonymous = peak.anonymous.max(now.anonymous);
                std::thread::sleep(LOOK_EVERY);
            }
            peak
        });
        let outcome = work();
        is_over.store(true, Ordering::Relaxed);
        let peak = watch.join().map_err(|_| "the watch on memory panicked".to_owned())?;
        outcome.map(|()| peak)
    })
}

/// Returns each process and its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name before it may hold anything, also spaces and brackets.
            let parent = text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect()
}

fn family(roots: &[u32], parents: &[(u32, u32)]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, parent) in parents {
        children.entry(*parent).or_default().push(*pid);
    }
    let mut found = roots.to_vec();
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        found.extend(children.remove(&pid).unwrap_or_default());
        at += 1;
    }
    found
}

fn kilobytes(status: &str, name: &str) -> f64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn family_is_everyone_below() {
        let mut found = family(&[2, 9], &[(1, 0), (2, 1), (3, 2), (4, 3), (5, 1), (10, 9)]);
        found.sort_unstable();
        assert_eq!(found, [2, 3, 4, 9, 10]);
    }

    #[test]
    fn our_own_memory_is_seen() {
        let seen = memory(&[std::process::id()]);
        assert!(seen.resident > 1.0 && seen.anonymous > 0.0 && seen.anonymous <= seen.resident, "{seen:?}");
    }

    #[test]
    fn kept_process_ends_with_its_handle() {
        let log = std::env::temp_dir().join(format!("xtask-kept-{}", std::process::id()));
        let kept = Kept::start(&["sleep".to_owned(), "100".to_owned()], &log).unwrap();
        let process = PathBuf::from(format!("/proc/{}", kept.pid));
        assert!(process.exists());
        drop(kept);
        let _ = fs::remove_file(log);
        assert!(!process.exists());
    }
}
