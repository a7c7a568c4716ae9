//! `run.json`: how to reach the server that runs on a data directory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DataDirectory, write_private};
use crate::failure::{Failure, Result};

/// What a running server says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The server's process.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// The public URL.
    pub url: String,
    /// The host of the public URL.
    pub host: String,
    /// The URL that a browser on this machine opens: in local mode with the port in use.
    pub browser_url: String,
    /// Where the server listens.
    pub listen: Vec<SocketAddr>,
    /// Where `/healthz`, `/readyz` and `/metrics` are.
    pub ops: SocketAddr,
    /// In local mode: the system's roots and ours, in PEM form.
    pub ca_bundle: Option<PathBuf>,
    /// In local mode: the CONNECT proxy.
    pub proxy: Option<ProxyInfo>,
}

/// The CONNECT proxy of local mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyInfo {
    /// Its loopback port.
    pub port: u16,
    /// Its password, new at every start.
    pub password: String,
}

impl RunInfo {
    /// Returns the port on which clients reach the server.
    pub fn port(&self) -> Option<u16> {
        self.listen.first().map(SocketAddr::port)
    }

    /// Reads what a server wrote; whether it still runs is for the caller to find out.
    pub fn read(data: &DataDirectory) -> Result<Self> {
        let path = data.run_file();
        let text = std::fs::read(&path).map_err(|_| no_server(data))?;
        serde_json::from_slice(&text).map_err(|error| Failure::io(path.display(), error))
    }
}

/// Says that nobody runs on this data directory.
pub(crate) fn no_server(data: &DataDirectory) -> Failure {
    Failure::unavailable(format!("no forge is running on `{}`", data.path().display()))
}

/// The file, removed when dropped.
#[derive(Debug)]
pub struct RunFile(PathBuf);

impl RunFile {
    /// Writes the file, readable by its owner alone: it holds the proxy's password.
    pub fn write(data: &DataDirectory, info: &RunInfo) -> Result<Self> {
        let path = data.run_file();
        let failed = |error: &dyn std::fmt::Display| Failure::io(path.display(), error);
        let text = serde_json::to_vec_pretty(info).map_err(|error| failed(&error))?;
        write_private(&path, &text).map_err(|error| failed(&error))?;
        Ok(Self(path))
    }

    /// Returns where the file is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn info() -> RunInfo {
        RunInfo {
            pid: 1,
            version: "0".into(),
            url: "https://forge.localhost".into(),
            host: "forge.localhost".into(),
            browser_url: "https://forge.localhost:8443".into(),
            listen: vec!["127.0.0.1:8443".parse().unwrap()],
            ops: "127.0.0.1:9".parse().unwrap(),
            ca_bundle: None,
            proxy: Some(ProxyInfo { port: 7, password: "p".into() }),
        }
    }

    #[test]
    fn the_file_is_private_read_back_and_removed_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        let file = RunFile::write(&data, &info()).unwrap();
        assert_eq!(file.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(RunInfo::read(&data).unwrap(), info());
        drop(file);
        assert_eq!(RunInfo::read(&data).unwrap_err(), no_server(&data));
    }
}
