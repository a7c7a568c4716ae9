//! Where Git data lives on this node, and how much of it is served at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use forge_git::fetch::{self, Server, Transport};
use forge_git::receive::{IngestLimits, RequestLimits};
use forge_git::{GitProgram, ProcessLimits, Processes, Repository, Storage};
use forge_types::id::RepositoryId;
use forge_types::{ObjectFormat, Result};

use tokio::sync::RwLock;

use super::answers::Answers;
use super::fault;
use super::shares::Shares;
use super::states::States;

/// Limits on what one request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// On processes.
    pub processes: ProcessLimits,
    /// How many fetches, and how many pushes, one caller may run at once.
    pub per_caller: usize,
    /// On a request for objects.
    pub fetch: fetch::RequestLimits,
    /// On the commands of a push.
    pub push: RequestLimits,
    /// On the pack of a push.
    pub pack: IngestLimits,
}

impl Default for Limits {
    fn default() -> Self {
        let processes = ProcessLimits::default();
        Self {
            processes,
            per_caller: processes.concurrent / 2,
            fetch: fetch::RequestLimits::default(),
            push: RequestLimits::default(),
            pack: IngestLimits::default(),
        }
    }
}

/// The repositories of this node and the means to serve them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) storage: Storage,
    pub(crate) processes: Processes,
    pub(crate) server: Server,
    pub(super) states: Arc<States>,
    pub(super) answers: Arc<Answers>,
    pub(crate) limits: Limits,
    pub(crate) fetches: Arc<Shares>,
    pub(super) pushes: Arc<Shares>,
    /// Held to write by whoever replaces packs.
    pub(super) maintenance: Arc<RwLock<()>>,
}

impl Engine {
    /// Opens the directory of all repositories, created if absent, and finds the program `git`, by name or path.
    ///
    /// # Errors
    /// What is wrong, in words for the operator, if either cannot be used.
    pub fn open(root: impl Into<PathBuf>, program: &Path, limits: Limits) -> forge_git::Result<Self> {
        let program = GitProgram::named(program)?;
        let storage = Storage::open(root)?;
        let shares = || Arc::new(Shares::new(limits.per_caller, limits.processes.queue));
        let processes = Processes::new(program, limits.processes);
        let server = Server::new(processes.clone(), storage.clone(), Transport::default());
        Ok(Self {
            storage,
            processes,
            server,
            states: Arc::default(),
            answers: Arc::default(),
            limits,
            fetches: shares(),
            pushes: shares(),
            maintenance: Arc::default(),
        })
    }

    /// Chooses who makes the packs that are fetched.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.server = Server::new(self.processes.clone(), self.storage.clone(), transport);
        self
    }

    /// Removes what a killed server left behind. Only before the first request.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn sweep(&self) -> forge_git::Result<()> {
        let swept = self.storage.sweep()?;
        if swept != forge_git::Swept::default() {
            tracing::info!(?swept, "removed what unfinished requests left");
        }
        Ok(())
    }

    /// Returns the version of the `git` program.
    #[must_use]
    pub fn git_version(&self) -> &str {
        self.processes.program().version()
    }

    /// Returns the directory of a repository, which comes into being with its first pack.
    #[must_use]
    pub fn repository(&self, id: RepositoryId) -> Repository {
        self.storage.repository(id.0, ObjectFormat::Sha1)
    }

    /// Removes the files of a repository whose rows are gone. Blocks.
    ///
    /// # Errors
    /// `Internal` if the file system refuses.
    pub fn remove(&self, id: RepositoryId) -> Result<()> {
        self.storage.remove(id.0).map_err(fault)
    }
}
