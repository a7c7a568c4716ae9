//! A private PostgreSQL cluster in a temporary folder, never the system's.
//!
//! INVARIANT: the cluster ends with this process, however that ends. A shell in a process group of its own holds
//! the other end of a pipe; when the pipe closes (exit, Ctrl-C, kill) it stops the server and removes the folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Result, command, tools};

/// The variable that tells the tests where the cluster is.
pub(crate) const VARIABLE: &str = "FORGE_TEST_POSTGRES";

/// `$1` holds the PostgreSQL programs, `$2` is the user to run as, if another, `$3` what differs in the settings.
const KEEPER: &str = r#"
set -eu
bin=$1; user=$2; settings=$3
folder=$(mktemp -d "${TMPDIR:-/tmp}/forge-postgres.XXXXXX")
as=""
if [ -n "$user" ]; then chown "$user" "$folder"; as="runuser -u $user --"; fi
cd "$folder"
finish() {
    $as "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap finish EXIT
$as "$bin/initdb" -D "$folder/data" -U forge -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 \
    || { cat "$folder/initdb.log" >&2; exit 1; }
$as "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" -o "-c listen_addresses= -c unix_socket_directories=$folder \
    $settings -c max_connections=400 -c shared_buffers=256MB" \
    start >"$folder/start.log" 2>&1 || { cat "$folder/start.log" "$folder/data/log" >&2; exit 1; }
echo "$folder"
cat >/dev/null
"#;

/// Tests do not outlive a crash.
const FAST: &str = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off";

/// What is measured must be as durable as it says.
const DURABLE: &str = "-c fsync=on -c full_page_writes=on -c synchronous_commit=on";

/// A running private cluster; dropping it ends the server and removes its folder.
pub(crate) struct Cluster {
    keeper: Child,
    folder: PathBuf,
}

impl Cluster {
    /// Starts a cluster for tests, installing PostgreSQL first where that is possible.
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(FAST)
    }

    /// Starts a cluster that syncs what it commits.
    pub(crate) fn start_durable() -> Result<Self> {
        Self::start_with(DURABLE)
    }

    fn start_with(settings: &str) -> Result<Self> {
        let programs = programs()?;
        let user = if command::is_root() { unprivileged_user()? } else { "" };
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&programs)
            .args([user, settings])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start a shell for PostgreSQL: {error}"))?;
        let mut folder = String::new();
        if let Some(output) = keeper.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut folder);
        }
        let folder = PathBuf::from(folder.trim_end());
        if folder.as_os_str().is_empty() {
            let _ = keeper.wait();
            return Err(format!("a private PostgreSQL from {} did not start", programs.display()));
        }
        Ok(Self { keeper, folder })
    }

    /// Returns the URL of the cluster's first database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://forge@localhost/postgres?host={}", self.folder.display())
    }
}

impl Cluster {
    /// Makes another database in the cluster and returns its URL.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        let mut create = Command::new(programs()?.join("createdb"));
        command::run(create.arg("-h").arg(&self.folder).args(["-U", "forge", name]))?;
        Ok(format!("postgres://forge@localhost/{name}?host={}", self.folder.display()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Starts a cluster for work by hand and keeps it until the input ends.
pub(crate) fn serve() -> Result<()> {
    let cluster = Cluster::start()?;
    println!("export {VARIABLE}='{}'", cluster.url());
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    let mut unused = Vec::new();
    std::io::stdin().read_to_end(&mut unused).map_err(|error| error.to_string())?;
    Ok(())
}

/// Returns the folder with `initdb` and `pg_ctl`, which Debian keeps off the search path.
fn programs() -> Result<PathBuf> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    tools::install_package("postgresql", "PostgreSQL's server programs (initdb, pg_ctl)")?;
    find_programs().ok_or_else(|| "package `postgresql` is installed, but has no `initdb`".to_owned())
}

fn find_programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| programs.join("initdb").is_file())
        .collect();
    versions.sort();
    let from_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file())
    };
    versions.pop().map(|(_, programs)| programs).or_else(from_path)
}

/// PostgreSQL refuses to run as root.
fn unprivileged_user() -> Result<&'static str> {
    let users = std::fs::read_to_string(Path::new("/etc/passwd")).unwrap_or_default();
    ["postgres", "nobody"]
        .into_iter()
        .find(|name| users.lines().any(|line| line.split(':').next() == Some(*name)))
        .ok_or_else(|| {
            "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`".to_owned()
        })
}
