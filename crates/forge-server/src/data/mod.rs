//! The data directory: who may read it, who holds it, and where a running server says how to reach it.
//!
//! INVARIANT: the directory is for its owner alone (0700), and at most one process changes what is in it (`lock`).

mod lock;
mod private;
mod run;

use std::path::{Path, PathBuf};

pub use lock::DataLock;
pub(crate) use private::create_directory;
pub use private::write_private;
pub(crate) use run::no_server;
pub use run::{ProxyInfo, RunFile, RunInfo};

use crate::failure::{Failure, Result};

/// The directory of repositories in the data directory.
pub(crate) const REPOSITORIES: &str = "repositories";

/// The data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    /// Names a directory without touching it.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Creates the directory if need be and makes it private.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        create_directory(&path).map_err(|error| {
            Failure::io(format_args!("cannot use the data directory `{}`", path.display()), error)
        })?;
        // Absolute, so that what is printed or stored stays true for a process elsewhere.
        let path = path.canonicalize().map_err(|error| Failure::io(path.display(), error))?;
        Ok(Self(path))
    }

    /// Opens a directory that must be there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        if !path.is_dir() {
            return Err(Failure::unavailable(format!(
                "there is no data directory `{}`; name the server's with `--data`, or in `FORGE_DATA`",
                path.display()
            )));
        }
        let path = path.canonicalize().map_err(|error| Failure::io(path.display(), error))?;
        Ok(Self(path))
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the certificate of the authority of local mode.
    pub fn authority_certificate(&self) -> PathBuf {
        self.tls_directory().join("ca.pem")
    }

    /// Returns the file that whoever changes the data holds a lock on.
    pub fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Returns the file in which a running server says how to reach it.
    pub fn run_file(&self) -> PathBuf {
        self.0.join("run.json")
    }

    /// Returns the socket on which a running server takes commands.
    pub fn control_socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// Returns the directory of the local certificate authority.
    pub fn tls_directory(&self) -> PathBuf {
        self.0.join("tls")
    }
}
