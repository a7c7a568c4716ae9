//! The control socket: how commands reach the server that runs on their data directory.
//!
//! One line of JSON asks, one answers. The socket is for the owner of the server (0600 in a 0700 directory), and
//! the kernel says who is at the other end: only the same user and root are heard.
//!
//! - `listener` is the server's side, `client` the command's. Neither knows what the commands are.

mod client;
mod listener;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use client::{is_served, send};
pub use listener::ControlListener;

use crate::failure::Failure;

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<R> {
    Done(R),
    Failed(Failure),
}

/// The longest path that a socket address may hold, with some room.
const LONGEST: usize = 100;

/// A path that fits into a socket address; valid as long as it lives.
struct SocketPath {
    path: PathBuf,
    _directory: Option<File>,
}

impl SocketPath {
    /// Shortens a long path by way of an open directory.
    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path: path.to_owned(), _directory: None });
        }
        let directory = File::open(path.parent().unwrap_or(Path::new("/")))?;
        let name = path.file_name().unwrap_or_default();
        let path = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _directory: Some(directory) })
    }
}

#[cfg(test)]
mod tests;
