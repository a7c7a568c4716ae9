//! Does a new tip reach only objects that are there?
//!
//! For a small push this is told from its own objects and the commits that they build on. Otherwise `git rev-list` walks from the new tips to what is reachable from the refs the repository has now, whose closures are
//! whole. Presence of an object says nothing: it may be the leftover of a push that was refused.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::sync::Arc;

use forge_types::ObjectId;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Quarantine;
use crate::durable::blocking;
use crate::objects::{ObjectKind, Objects, to_gix};
use crate::process::{Processes, Purpose, read_bounded};
use crate::walk::{Graph, reaches_all};
use crate::{Error, Repository, Result};

/// What the repository's refs reach.
struct Known {
    graph: RefCell<Graph>,
    current: Arc<HashSet<ObjectId>>,
}

impl Known {
    /// Is a commit reachable? What cannot be told is not.
    fn reaches(&self, commit: ObjectId) -> bool {
        self.current.contains(&commit) || self.is_below(commit).unwrap_or(false)
    }

    fn is_below(&self, commit: ObjectId) -> Result<bool> {
        let mut graph = self.graph.borrow_mut();
        let Some(slot) = graph.set().slot(&to_gix(commit)) else { return Ok(false) };
        let mut tips = Vec::with_capacity(self.current.len());
        for id in self.current.iter() {
            let tip = graph.set().slot_of(&to_gix(*id))?;
            if let (_, end, ObjectKind::Commit) = graph.peel(tip)? {
                tips.push(end);
            }
        }
        Ok(reaches_all(&mut graph, &tips, &[slot])?.is_none())
    }
}

impl Quarantine {
    /// Returns the commits that a small push builds on without bringing them, and of the new tips those that it does not
    /// bring; `None` for a push that only git can look through.
    pub fn foundation(&self, new: &[ObjectId]) -> Option<Vec<ObjectId>> {
        Some(self.taken.as_ref()?.foundation(new))
    }

    /// Is everything there that `new` reaches, given that all is there that the `vouched` commits reach? A "no" may be wrong:
    /// then ask [`Quarantine::check_connectivity`].
    pub async fn is_plainly_connected(&self, new: &[ObjectId], vouched: HashSet<ObjectId>) -> Result<bool> {
        let Some(taken) = self.taken.clone() else { return Ok(false) };
        let (packs, tips) = (self.packs().clone(), new.to_vec());
        blocking(move || {
            let mut objects = Objects::of(packs.open()?);
            taken.is_connected(&tips, &mut objects, &|commit| vouched.contains(&commit))
        })
        .await
    }

    /// Checks that everything reachable from `new` is in the quarantine or reachable from `current`, the ids of *all* refs of
    /// the repository, hidden ones too. A lack is [`Error::BadPack`].
    pub async fn check_connectivity(
        &self,
        processes: &Processes,
        new: &[ObjectId],
        current: impl IntoIterator<Item = ObjectId>,
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let current: Arc<HashSet<ObjectId>> = Arc::new(current.into_iter().collect());
        if let Some(taken) = self.taken.clone() {
            let (packs, tips, current) = (self.packs().clone(), new.to_vec(), Arc::clone(&current));
            let check = move || {
                let set = packs.open()?;
                let known = Known { graph: RefCell::new(Graph::new(set.clone())), current };
                taken.is_connected(&tips, &mut Objects::of(set), &|commit| known.reaches(commit))
            };
            if blocking(check).await? {
                return Ok(());
            }
            // Whether each thing is of the kind that it is said to be was to come out of that, too.
            self.check_strictly(processes).await?;
        }
        let mut command = processes.command(self.repository().path(), &[]);
        command.env("GIT_OBJECT_DIRECTORY", self.directory());
        walk(processes, command, input(new, current.iter().copied())).await
    }
}

impl Repository {
    /// Checks that everything reachable from these objects is in the repository. A lack is [`Error::BadPack`].
    pub async fn check_whole(&self, processes: &Processes, tips: &[ObjectId]) -> Result<()> {
        self.check_connected(processes, tips, []).await
    }

    /// The same for objects that are not reachable from `current`, whose histories are whole.
    pub async fn check_connected(
        &self,
        processes: &Processes,
        tips: &[ObjectId],
        current: impl IntoIterator<Item = ObjectId>,
    ) -> Result<()> {
        walk(processes, processes.command(self.path(), &[]), input(tips, current)).await
    }
}

pub(super) fn input(new: &[ObjectId], current: impl IntoIterator<Item = ObjectId>) -> String {
    let mut input: String = new.iter().map(|id| format!("{id}\n")).collect();
    input.extend(current.into_iter().map(|id| format!("^{id}\n")));
    input
}

async fn walk(processes: &Processes, mut command: Command, input: String) -> Result<()> {
    command.stdout(std::process::Stdio::null());
    let args = ["rev-list", "--objects", "--stdin", "--quiet"];
    let mut running = processes.start(Purpose::Check, command, &args.map(OsStr::new)).await?;
    let (Some(mut stdin), Some(stderr)) = (running.child.stdin.take(), running.child.stderr.take()) else {
        return Err(Error::Program("`git rev-list` has no pipes".into()));
    };
    let work = async {
        let feed = async move {
            // It stops reading when it has found a lack, and says so.
            let _ = stdin.write_all(input.as_bytes()).await;
        };
        let ((), said) = tokio::join!(feed, read_bounded(stderr));
        let status = running.child.wait().await.map_err(Error::io("wait for `git rev-list`"))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(_) => {
                tracing::info!(said = %String::from_utf8_lossy(&said), "a history lacks objects");
                Err(Error::BadPack("missing necessary objects".into()))
            }
            None => Err(Error::Program("`git rev-list` was killed".into())),
        }
    };
    match tokio::time::timeout(processes.limits().run, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::TooLarge("checking the history took too long".into())),
    }
}
