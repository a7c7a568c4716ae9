//! May this caller have these objects? Only what its snapshot reaches.
//!
//! Nearly every want is the tip of a ref and costs a look into a set. The rest (a commit between, a blob that a partial clone
//! fetches late) is looked for by `git rev-list` from the snapshot's tips, newest first, until all are found.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::process::Stdio;

use forge_types::ObjectId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::durable::blocking;
use crate::objects::{ObjectKind, Objects};
use crate::process::{Processes, Purpose};
use crate::wire::RefSnapshot;
use crate::{Error, Repository, Result};

/// Checks every want; the first that the snapshot does not reach is [`Error::NotOurRef`].
pub async fn check_wants(
    processes: &Processes,
    repository: &Repository,
    snapshot: &RefSnapshot,
    wants: &[ObjectId],
) -> Result<()> {
    let tips = snapshot.tips();
    let rest: HashSet<ObjectId> = wants.iter().filter(|want| !tips.contains(want)).copied().collect();
    let Some(&first) = rest.iter().next() else {
        return Ok(());
    };
    if tips.is_empty() {
        return Err(Error::NotOurRef(first));
    }
    let (of_commits_only, rest) = only_commits(repository.clone(), rest).await?;
    let search = search(processes, repository, &tips, rest, of_commits_only);
    match timeout(processes.limits().run, search).await {
        Ok(result) => result,
        Err(_) => Err(Error::Busy("looking for the objects took too long".into())),
    }
}

/// Are all of them commits? An object that is not there at all ends the search before it begins.
async fn only_commits(repository: Repository, wants: HashSet<ObjectId>) -> Result<(bool, HashSet<ObjectId>)> {
    blocking(move || {
        let mut objects = Objects::open(&repository)?;
        let mut of_commits_only = true;
        for want in &wants {
            match objects.header(*want) {
                Ok((kind, _)) => of_commits_only &= kind == ObjectKind::Commit,
                Err(Error::MissingObject(id)) => return Err(Error::NotOurRef(id)),
                Err(error) => return Err(error),
            }
        }
        Ok((of_commits_only, wants))
    })
    .await
}

/// Lists what the tips reach until everything was seen.
async fn search(
    processes: &Processes,
    repository: &Repository,
    tips: &HashSet<ObjectId>,
    mut missing: HashSet<ObjectId>,
    of_commits_only: bool,
) -> Result<()> {
    let mut command = processes.command(repository.path(), &[]);
    command.stderr(Stdio::null());
    let everything = ["rev-list", "--stdin", "--objects", "--no-object-names", "--in-commit-order"];
    let args = if of_commits_only { &everything[..2] } else { &everything[..] };
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    let mut running = processes.start(Purpose::Check, command, &args).await?;
    let (Some(mut stdin), Some(stdout)) = (running.child.stdin.take(), running.child.stdout.take()) else {
        return Err(Error::Program("`git rev-list` has no pipes".into()));
    };
    let input: String = tips.iter().map(|id| format!("{id}\n")).collect();
    let feed = async move {
        // It reads all of it before it writes; if it ends early, the objects are not found.
        let _ = stdin.write_all(input.as_bytes()).await;
    };
    let look = async {
        let mut lines = BufReader::with_capacity(64 * 1024, stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.parse::<ObjectId>().is_ok_and(|id| missing.remove(&id)) && missing.is_empty() {
                break;
            }
        }
    };
    tokio::join!(feed, look);
    missing.into_iter().next().map_or(Ok(()), |id| Err(Error::NotOurRef(id)))
}
