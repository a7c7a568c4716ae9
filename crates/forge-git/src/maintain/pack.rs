//! Running `git pack-objects` for maintenance.

use std::ffi::OsStr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::durable::blocking;
use crate::process::{Processes, Purpose, Running, read_bounded};
use crate::receive::Quarantine;
use crate::{Error, PackInfo, Packs, Repository, Result};

const SETTINGS: [&str; 4] =
    ["pack.threads=1", "pack.windowMemory=128m", "core.bigFileThreshold=32m", "pack.writeReverseIndex=false"];

/// How long one process of maintenance may take.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Writes a new pack of what the arguments and the input name, and makes it durably part of the repository; `None` if that is
/// nothing.
pub(super) async fn pack(
    repository: &Repository,
    processes: &Processes,
    unique: u128,
    args: &[&str],
    input: String,
) -> Result<Option<PackInfo>> {
    let packs = Packs::of_directory(repository.clone());
    let quarantine = blocking(move || Quarantine::open(&packs, unique)).await?;
    let target = quarantine.pack_directory().join("new");
    let command = processes.command(repository.path(), &SETTINGS);
    let mut all: Vec<&OsStr> =
        ["pack-objects", "-q", "--delta-base-offset", "--non-empty"].map(OsStr::new).into();
    all.extend(args.iter().map(OsStr::new));
    all.push(target.as_os_str());
    run(processes.start(Purpose::Sort, command, &all).await?, input).await?;
    quarantine.publish().await
}

/// Waits until a process of maintenance is done with its input.
pub(crate) async fn run(mut running: Running, input: String) -> Result<()> {
    let child = &mut running.child;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Error::Program("a `git` of maintenance has no pipes".into()));
    };
    let feed = async move {
        // If it stops reading, its exit code says so.
        let _ = stdin.write_all(input.as_bytes()).await;
    };
    let work = async {
        let ((), said, _) = tokio::join!(feed, read_bounded(stderr), read_bounded(stdout));
        let status = running.child.wait().await.map_err(Error::io("wait for a `git` of maintenance"))?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        match status.success() {
            true => Ok(()),
            false => Err(Error::Program(format!("a `git` of maintenance ended with {status}: {said}"))),
        }
    };
    match tokio::time::timeout(LONGEST, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::Program("maintenance took too long".into())),
    }
}
