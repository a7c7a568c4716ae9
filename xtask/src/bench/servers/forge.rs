//! Our own program: the release binary over plain HTTP on loopback, with rate limits out of the way.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{basic, make_folder, succeed};
use crate::bench::process::Kept;
use crate::{Result, command};

/// Whose repositories they are.
pub(super) const OWNER: &str = "bench";

/// Accounts that read. One account may run only so many transfers at once, which is not what is measured.
const READERS: usize = 4;
/// Connections of one account.
const CONNECTIONS_EACH: usize = 8;

/// Which forge.
#[derive(Clone)]
pub(in super::super) enum Variant {
    /// Default transport, SQLite.
    Sqlite,
    /// Default transport, PostgreSQL at this URL.
    Postgres(String),
    /// `git.transport = "subprocess"`, SQLite.
    Subprocess,
    /// Default transport, PostgreSQL at this URL or SQLite, the audit log sealed or not.
    Audit {
        /// Where PostgreSQL is.
        database: Option<String>,
        /// `audit.sealing`.
        is_sealing: bool,
    },
}

impl Variant {
    pub(in super::super) fn title(&self) -> &'static str {
        match self {
            Self::Sqlite => "a: forge, SQLite",
            Self::Postgres(_) => "b: forge, PostgreSQL",
            Self::Subprocess => "d: forge, subprocess",
            Self::Audit { is_sealing: true, .. } => "forge, sealing",
            Self::Audit { is_sealing: false, .. } => "forge, not sealing",
        }
    }
}

/// A forge's data and how to start it.
pub(super) struct Forge {
    binary: PathBuf,
    data: PathBuf,
    arguments: Vec<String>,
    authorizations: Vec<String>,
}

impl Forge {
    pub(super) fn new(folder: &Path, binary: &Path, address: SocketAddr, variant: Variant) -> Result<Self> {
        let data = make_folder(folder)?.join("data");
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        add("data", data.display().to_string());
        add("listen", address.to_string());
        add("url", format!("http://{address}"));
        add("tls", "off".to_owned());
        add("limit-requests-per-hour", u32::MAX.to_string());
        add("limit-anonymous-requests-per-hour", u32::MAX.to_string());
        add("log-level", "warn".to_owned());
        match variant {
            Variant::Sqlite => {}
            Variant::Postgres(url) => add("database", url),
            Variant::Subprocess => add("git-transport", "subprocess".to_owned()),
            Variant::Audit { database, is_sealing } => {
                database.into_iter().for_each(|url| add("database", url));
                add("audit-sealing", if is_sealing { "on" } else { "off" }.to_owned());
            }
        }
        Ok(Self { binary: binary.to_owned(), data, arguments, authorizations: Vec::new() })
    }

    pub(super) fn start(&self) -> Result<Vec<Kept>> {
        let mut program = vec![self.binary.display().to_string(), "serve".to_owned()];
        program.extend(self.arguments.iter().cloned());
        Ok(vec![Kept::start(&program, &self.data.with_extension("log"))?])
    }

    /// Makes the owner and the readers, while the server runs.
    pub(super) fn make_accounts(&mut self) -> Result<()> {
        for number in 0..READERS {
            let login = if number == 0 { OWNER.to_owned() } else { format!("reader{number}") };
            let email = format!("{login}@bench.example");
            self.admin(&["user", "create", &login, "--email", &email])?;
            let token = self.admin(&["token", "create", &login, "--scopes", "repo"])?;
            self.authorizations.push(basic(&login, token.trim()));
        }
        Ok(())
    }

    pub(super) fn admin(&self, words: &[&str]) -> Result<String> {
        succeed(Command::new(&self.binary).arg("admin").args(words).arg("--data").arg(&self.data))
    }

    pub(super) fn maintain(&self, repository: &str) -> Result<()> {
        let name = format!("{OWNER}/{repository}");
        succeed(Command::new(&self.binary).args(["repo", "maintain", &name, "--data"]).arg(&self.data))
            .map(drop)
    }

    /// Returns the header line of the account that uses this connection; nothing before there are accounts.
    pub(super) fn authorization(&self, connection: usize) -> String {
        let reader = connection / CONNECTIONS_EACH % READERS;
        self.authorizations.get(reader).cloned().unwrap_or_default()
    }
}

/// Builds the release binary and returns where it is.
pub(in super::super) fn build(root: &Path) -> Result<PathBuf> {
    let mut cargo = command::cargo();
    let words = ["build", "--release", "--locked", "--package", "forge-server", "--bin", "forge"];
    command::run(cargo.current_dir(root).args(words))?;
    Ok(crate::test::target_folder(root).join("release/forge"))
}

/// Returns whether the binary can serve Git by subprocesses alone.
pub(in super::super) fn offers_subprocess(binary: &Path) -> Result<bool> {
    Ok(succeed(Command::new(binary).args(["serve", "--help"]))?.contains("--git-transport"))
}
