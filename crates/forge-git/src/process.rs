//! The `git` program, run as a bounded, killable process with a scrubbed environment.
//!
//! INVARIANT: no variable of the server, no system or user configuration, no hook and no terminal reaches the process;
//! what it may do is said by `-c` on its command line. It is the leader of its own process group, and the whole group dies
//! with the [`Running`] handle, so that `pack-objects` does not outlive its `upload-pack`.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Result};

/// The oldest version whose `index-pack --strict` and `rev-list --stdin` do what is needed here.
const OLDEST: (u32, u32) = (2, 39);

/// What a process says on standard error is kept up to this size.
const STDERR_LIMIT: usize = 16 * 1024;

/// The `git` program of this machine.
#[derive(Clone, Debug)]
pub struct GitProgram {
    path: PathBuf,
    version: String,
}

impl GitProgram {
    /// Finds `git` on the search path and checks its version.
    pub fn find() -> Result<Self> {
        Self::named(Path::new("git"))
    }

    /// Finds the program of this name on the search path, or at this path if it is one, and checks its version.
    pub fn named(program: &Path) -> Result<Self> {
        if program.components().count() > 1 {
            return Self::at(program.to_owned());
        }
        let search = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&search)
            .map(|directory| directory.join(program))
            .find(|path| is_executable(path))
            .ok_or_else(|| {
                Error::Program(format!("the program `{}` is not on the search path", program.display()))
            })?;
        Self::at(path)
    }

    fn at(path: PathBuf) -> Result<Self> {
        let output = std::process::Command::new(&path)
            .arg("version")
            .env_clear()
            .output()
            .map_err(|error| Error::Program(format!("`{}` does not start: {error}", path.display())))?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let version = text.strip_prefix("git version ").unwrap_or(&text).to_owned();
        match parse_version(&version) {
            Some(found) if found >= OLDEST => Ok(Self { path, version }),
            _ => Err(Error::Program(format!(
                "`{}` is version `{version}`, but {}.{} or newer is needed",
                path.display(),
                OLDEST.0,
                OLDEST.1
            ))),
        }
    }

    /// Returns the version, such as `2.47.3`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(['.', ' ', '-']).map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// What a process is for. Each purpose has turns of its own, so that slow readers hold up neither pushes nor checks, and
/// neither forks nor maintenance hold up anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It sends to a client, as long as that takes.
    Serve,
    /// It takes from a client, as long as that takes.
    Take,
    /// It waits for no client, and a push waits for it.
    Check,
    /// It writes what a fork begins with, as long as that takes.
    Fork,
    /// It sorts what is stored.
    Sort,
}

/// How many processes may run, and how long.
#[derive(Clone, Copy, Debug)]
pub struct ProcessLimits {
    /// How many run at once, for each purpose: serving a fetch, taking a pack, checking, sorting. Of forks, each of which
    /// keeps a processor busy, a quarter as many.
    pub concurrent: usize,
    /// How long a request waits for its turn.
    pub queue: Duration,
    /// How long one may run in all.
    pub run: Duration,
    /// How long a client may stop reading or sending.
    pub stall: Duration,
}

impl Default for ProcessLimits {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(4, std::num::NonZero::get);
        let concurrent = (processors * 4).max(16);
        Self {
            concurrent,
            queue: Duration::from_secs(20),
            run: Duration::from_secs(3600),
            stall: Duration::from_secs(120),
        }
    }
}

#[derive(Debug)]
struct Turns {
    serve: Arc<Semaphore>,
    take: Arc<Semaphore>,
    check: Arc<Semaphore>,
    fork: Arc<Semaphore>,
    sort: Arc<Semaphore>,
}

/// Starts `git` processes, so many at once. Cheap to clone; clones share the limit.
#[derive(Clone, Debug)]
pub struct Processes {
    program: Arc<GitProgram>,
    turns: Arc<Turns>,
    limits: ProcessLimits,
}

impl Processes {
    /// Makes a starter of this program with these limits.
    pub fn new(program: GitProgram, limits: ProcessLimits) -> Self {
        let turns = |count| Arc::new(Semaphore::new(count));
        let count = limits.concurrent;
        let turns = Turns {
            serve: turns(count),
            take: turns(count),
            check: turns(count),
            fork: turns(count.div_ceil(4)),
            sort: turns(count),
        };
        Self { program: Arc::new(program), turns: Arc::new(turns), limits }
    }

    /// Returns the program.
    pub fn program(&self) -> &GitProgram {
        &self.program
    }

    /// Returns the limits.
    pub fn limits(&self) -> ProcessLimits {
        self.limits
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self, purpose: Purpose) -> Result<OwnedSemaphorePermit> {
        let turns = match purpose {
            Purpose::Serve => &self.turns.serve,
            Purpose::Take => &self.turns.take,
            Purpose::Check => &self.turns.check,
            Purpose::Fork => &self.turns.fork,
            Purpose::Sort => &self.turns.sort,
        };
        match tokio::time::timeout(self.limits.queue, Arc::clone(turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::Busy("the server is busy with other transfers, try again in a moment".into())),
        }
    }

    /// Returns a command with the scrubbed environment. Arguments come after the global options.
    pub(crate) fn command(&self, git_dir: &Path, settings: &[&str]) -> Command {
        let mut command = Command::new(&self.program.path);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C")
            .env("GIT_DIR", git_dir)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .current_dir(git_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0);
        // A data directory that a container mounts may belong to another user: which repositories are used is decided here.
        for setting in ["safe.directory=*", "core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0"] {
            command.arg("-c").arg(setting);
        }
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        command
    }

    /// Waits for a turn and starts the command.
    pub(crate) async fn start(
        &self,
        purpose: Purpose,
        mut command: Command,
        args: &[&OsStr],
    ) -> Result<Running> {
        let permit = self.turn(purpose).await?;
        command.args(args);
        let child =
            command.spawn().map_err(|error| Error::Program(format!("`git` does not start: {error}")))?;
        Ok(Running { child, _permit: permit })
    }
}

/// A running process; dropping it kills its group.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    _permit: OwnedSemaphorePermit,
}

impl Running {
    /// Kills the process and its children.
    pub(crate) fn kill(&mut self) {
        // `id` is None once the process was waited for; its number may belong to someone else by then.
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may have ended just now; then there is nothing to kill.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads what a process says to the end, keeping the first part of it.
pub(crate) async fn read_bounded(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0u8; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = STDERR_LIMIT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_texts_of_all_vendors_are_read() {
        assert_eq!(parse_version("2.47.3"), Some((2, 47)));
        assert_eq!(parse_version("2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(parse_version("2.50.0-rc1"), Some((2, 50)));
        assert_eq!(parse_version("2.45.1.windows.1"), Some((2, 45)));
        assert_eq!(parse_version("nonsense"), None);
    }

    #[test]
    fn old_program_is_refused_with_its_version() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("git");
        std::fs::write(&path, "#!/bin/sh\necho git version 2.20.1\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let error = GitProgram::at(path).unwrap_err().to_string();
        assert!(error.contains("2.20.1") && error.contains("2.39"), "{error}");
    }

    #[tokio::test]
    async fn environment_of_the_server_does_not_reach_the_process() {
        let processes = Processes::new(GitProgram::find().unwrap(), ProcessLimits::default());
        let directory = tempfile::tempdir().unwrap();
        let command = processes.command(directory.path(), &[]);
        let names: Vec<_> = command.as_std().get_envs().map(|(name, _)| name.to_owned()).collect();
        assert!(names.iter().all(|name| name != "GIT_OBJECT_DIRECTORY" && name != "GIT_TRACE"));
        let mut running = processes
            .start(Purpose::Check, command, &["var".as_ref(), "GIT_CONFIG_GLOBAL".as_ref()])
            .await
            .unwrap();
        assert!(running.child.wait().await.is_ok());
    }

    #[tokio::test]
    async fn request_beyond_the_limit_is_told_to_come_back() {
        let limits =
            ProcessLimits { concurrent: 1, queue: Duration::from_millis(20), ..ProcessLimits::default() };
        let processes = Processes::new(GitProgram::find().unwrap(), limits);
        let _held = processes.turn(Purpose::Serve).await.unwrap();
        assert!(matches!(processes.turn(Purpose::Serve).await, Err(Error::Busy(_))));
        assert!(processes.turn(Purpose::Check).await.is_ok(), "checks have turns of their own");
    }
}
