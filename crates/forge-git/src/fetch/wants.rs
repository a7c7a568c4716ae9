//! May this caller have these objects? Only what its snapshot reaches.
//!
//! Nearly every want is the tip of a ref and costs a look into a set. What lies in the pack of all that the refs reach needs no
//! search either. Another commit is looked for from the tips, newest first.
//! What is no commit (a blob that a partial clone fetches late, or that somebody names to the API) is looked for in the
//! directories of recent commits, and when that takes too long by `git rev-list`, until all are found.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::process::Stdio;

use forge_types::ObjectId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::durable::blocking;
use crate::objects::{ObjectKind, from_gix, to_gix};
use crate::packs::{PackSet, Packs, Slot};
use crate::process::{Processes, Purpose};
use crate::walk::{Graph, Search, reaches_all, search};
use crate::wire::RefSnapshot;
use crate::{Error, Repository, Result};

/// So many directories are read here before `git rev-list` is asked, which knows bitmaps.
const TREES: usize = 10_000;

/// Checks every want; the first that the snapshot does not reach is [`Error::NotOurRef`].
pub(super) async fn check_wants(
    processes: &Processes,
    packs: &Packs,
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
    let (opened, among) = (packs.clone(), snapshot.clone());
    let rest = blocking(move || check_commits(&opened.open()?, among.tips(), rest)).await?;
    if rest.is_empty() {
        return Ok(());
    }
    match timeout(processes.limits().run, list_all(processes, packs.repository(), tips, rest)).await {
        Ok(result) => result,
        Err(_) => Err(Error::Busy("looking for the objects took too long".into())),
    }
}

/// Checks those that are commits, and others as far as that is quick; returns those that are left. An object that is not there
/// at all is not looked for.
fn check_commits(
    set: &PackSet,
    tips: &HashSet<ObjectId>,
    wants: HashSet<ObjectId>,
) -> Result<HashSet<ObjectId>> {
    let mut graph = Graph::new(set.clone());
    let (mut commits, mut others) = (Vec::new(), HashSet::new());
    for want in wants {
        let slot = set.slot(&to_gix(want)).ok_or(Error::NotOurRef(want))?;
        // The closure has nothing but what the refs reach.
        if set.closure().is_some_and(|closure| closure.position(&to_gix(want)).is_some()) {
            continue;
        }
        match graph.decoder().header(slot)?.0 {
            ObjectKind::Commit => commits.push(slot),
            ObjectKind::Tree | ObjectKind::Blob | ObjectKind::Tag => {
                others.insert(to_gix(want));
            }
        }
    }
    let starts: Vec<Slot> = tips.iter().map(|tip| set.slot_of(&to_gix(*tip))).collect::<Result<_>>()?;
    let mut ends = Vec::new();
    for start in &starts {
        if let (_, end, ObjectKind::Commit) = graph.peel(*start)? {
            ends.push(end);
        }
    }
    if let Some(slot) = reaches_all(&mut graph, &ends, &commits)? {
        return Err(Error::NotOurRef(from_gix(set.id(slot))));
    }
    if others.is_empty() {
        return Ok(HashSet::new());
    }
    match search(&mut graph, &starts, others, TREES)? {
        Search::Found => Ok(HashSet::new()),
        Search::Absent(id) => Err(Error::NotOurRef(from_gix(&id))),
        Search::Cut(rest) => Ok(rest.iter().map(|id| from_gix(id)).collect()),
    }
}

/// Lists what the tips reach until everything was seen.
async fn list_all(
    processes: &Processes,
    repository: &Repository,
    tips: &HashSet<ObjectId>,
    mut missing: HashSet<ObjectId>,
) -> Result<()> {
    let mut command = processes.command(repository.path(), &[]);
    command.stderr(Stdio::null());
    let args = ["rev-list", "--stdin", "--objects", "--no-object-names", "--in-commit-order"];
    let args = args.map(OsStr::new);
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
