//! What a fork takes from its parent: the objects that the refs reach which it takes over, and nothing else.
//!
//! If the parent has a pack of just what its visible refs reach, the fork has the same file under a second name, and a small
//! pack of what came since; then a fork of any size costs what is new. Otherwise one pack is written. Nothing of the fork
//! points into the parent's directory: either may go, or sort its packs, without the other.
//!
//! INVARIANT: a pack is linked only where every visible ref of the parent is taken over, and only while its mark holds. So what
//! the parent removed or hides is in no pack of the fork.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use forge_types::ObjectId;

use crate::durable::blocking;
use crate::maintain::run;
use crate::objects::{from_gix, to_gix};
use crate::packs::Decoder;
use crate::process::{Processes, Purpose};
use crate::receive::Quarantine;
use crate::walk::find_beyond;
use crate::{Error, PackInfo, Packs, Repository, Result, crash};

const SETTINGS: [&str; 4] =
    ["pack.threads=1", "pack.windowMemory=128m", "core.bigFileThreshold=32m", "pack.writeReverseIndex=false"];

/// The packs of a new fork, durably in its directory. Each has its claim until [`Repository::settle`] ends it.
#[derive(Clone, Debug, Default)]
pub struct Heritage {
    /// The pack that it shares with its parent.
    pub linked: Option<PackInfo>,
    /// What else the refs reach: beside a shared pack what came since, without one everything.
    pub written: Option<PackInfo>,
}

impl Heritage {
    /// Returns both packs.
    pub fn packs(&self) -> impl Iterator<Item = &PackInfo> {
        [&self.linked, &self.written].into_iter().flatten()
    }
}

/// What a pack is to be written of.
enum Order {
    /// Nothing: all is there.
    Nothing,
    /// All that these reach.
    Revisions(String),
    /// Just these.
    Objects(String),
}

impl Repository {
    /// Gives a repository that has nothing yet what `tips` reach in its parent. `takes_all` says that these are the tips of
    /// all visible refs of the parent. Each call of `unique` returns a number that no other pack was or will be given.
    ///
    /// # Errors
    /// [`Error::MissingObject`] for a tip that the parent does not have, [`Error::Busy`] if too much is going on.
    pub async fn inherit(
        &self,
        processes: &Processes,
        parent: &Packs,
        tips: Vec<ObjectId>,
        takes_all: bool,
        mut unique: impl FnMut() -> u128,
    ) -> Result<Heritage> {
        let shared = {
            let (own, parent, tips, number) = (self.clone(), parent.clone(), tips.clone(), unique());
            blocking(move || if takes_all { own.link(&parent, &tips, number) } else { Ok(None) }).await?
        };
        crash::point("fork/linked");
        let (linked, order) = match shared {
            Some((linked, order)) => (Some(linked), order),
            None => (None, Order::Revisions(lines(&tips))),
        };
        let written = self.write(processes, parent.repository(), order, unique()).await;
        crash::point("fork/packed");
        match (written, linked) {
            (Ok(written), linked) => Ok(Heritage { linked, written }),
            (Err(error), Some(linked)) => {
                let own = self.clone();
                blocking(move || {
                    own.remove_pack(&linked)?;
                    own.settle(&linked.name)
                })
                .await?;
                Err(error)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Links the parent's pack of all that its visible refs reach, if it has one, and returns what is to be written beside it.
    fn link(&self, parent: &Packs, tips: &[ObjectId], number: u128) -> Result<Option<(PackInfo, Order)>> {
        let set = parent.open()?;
        let Some(closure) = set.closure().cloned() else { return Ok(None) };
        let slots = tips.iter().map(|id| set.slot_of(&to_gix(*id))).collect::<Result<Vec<_>>>()?;
        let mut decoder = Decoder::new(set.clone());
        let Some(beyond) = find_beyond(&mut decoder, &closure, &slots, usize::MAX)? else { return Ok(None) };
        let ids: Vec<ObjectId> = beyond.objects.iter().map(|slot| from_gix(set.id(*slot))).collect();
        let quarantine = Quarantine::open(&Packs::of_directory(self.clone()), number)?;
        if !link_pack(closure.path(), &quarantine.pack_directory())? {
            return Ok(None);
        }
        let order = if ids.is_empty() { Order::Nothing } else { Order::Objects(lines(&ids)) };
        Ok(quarantine.publish_blocking()?.map(|linked| (linked, order)))
    }

    async fn write(
        &self,
        processes: &Processes,
        parent: &Repository,
        order: Order,
        number: u128,
    ) -> Result<Option<PackInfo>> {
        let (revs, input) = match order {
            Order::Nothing => return Ok(None),
            Order::Revisions(input) => (Some("--revs"), input),
            Order::Objects(input) => (None, input),
        };
        let packs = Packs::of_directory(self.clone());
        let quarantine = blocking(move || Quarantine::open(&packs, number)).await?;
        let target = quarantine.pack_directory().join("new");
        let command = processes.command(parent.path(), &SETTINGS);
        let mut args: Vec<&OsStr> =
            ["pack-objects", "-q", "--delta-base-offset", "--non-empty"].map(OsStr::new).into();
        args.extend(revs.map(OsStr::new));
        args.push(target.as_os_str());
        run(processes.start(Purpose::Fork, command, &args).await?, input).await?;
        quarantine.publish().await
    }
}

/// Gives the files of a pack a second name each; false if the pack is gone meanwhile. Where the file system has no second
/// names they are copied.
fn link_pack(pack: &Path, into: &Path) -> Result<bool> {
    for extension in ["pack", "idx"] {
        let (from, to) = (pack.with_extension(extension), into.join("linked").with_extension(extension));
        let linked = fs::hard_link(&from, &to).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Err(error),
            _ => fs::copy(&from, &to).map(drop),
        });
        match linked {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            result => result.map_err(Error::io(format!("link {}", from.display())))?,
        }
    }
    Ok(true)
}

fn lines(ids: &[ObjectId]) -> String {
    ids.iter().map(|id| format!("{id}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::{GitProgram, ProcessLimits};

    /// Returns a repository of one commit, its id, and an empty repository.
    fn parent_and_fork(folder: &Path) -> (Repository, ObjectId, Repository) {
        let storage = crate::Storage::open(folder).unwrap();
        let [parent, fork] = [1, 2].map(|id| storage.repository(id, forge_types::ObjectFormat::Sha1));
        parent.create().unwrap();
        let run = |args: &[&str]| {
            let mut command = std::process::Command::new("git");
            command.env("GIT_DIR", parent.path()).args([
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.com",
            ]);
            let output = command.args(args).stdin(std::process::Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let tree = run(&["hash-object", "-w", "-t", "tree", "--stdin"]);
        let commit = run(&["commit-tree", "-m", "one", &tree]);
        run(&["update-ref", "refs/heads/main", &commit]);
        (parent, commit.parse().unwrap(), fork)
    }

    #[tokio::test]
    async fn a_fork_neither_takes_nor_waits_for_the_turns_of_pushes() {
        let folder = tempfile::tempdir().unwrap();
        let (parent, tip, fork) = parent_and_fork(folder.path());
        let limits = ProcessLimits {
            concurrent: 1,
            queue: std::time::Duration::from_millis(20),
            ..ProcessLimits::default()
        };
        let processes = Processes::new(GitProgram::find().unwrap(), limits);
        let (packs, number) = (Packs::of_directory(parent), std::cell::Cell::new(0));
        let unique = || number.replace(number.get() + 1);
        let inherit = || fork.inherit(&processes, &packs, vec![tip], false, unique);
        let checking = processes.turn(Purpose::Check).await.unwrap();
        assert!(inherit().await.unwrap().written.is_some(), "pushes that check hold up no fork");
        drop(checking);
        let _forking = processes.turn(Purpose::Fork).await.unwrap();
        assert!(matches!(inherit().await, Err(Error::Busy(_))), "forks wait for one another");
        for purpose in [Purpose::Serve, Purpose::Take, Purpose::Check, Purpose::Sort] {
            assert!(processes.turn(purpose).await.is_ok(), "{purpose:?}");
        }
    }

    #[test]
    fn a_linked_pack_is_the_same_file_and_outlives_the_first_name() {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("pack-1.pack");
        let into = folder.path().join("into");
        fs::create_dir(&into).unwrap();
        for extension in ["pack", "idx"] {
            fs::write(pack.with_extension(extension), extension).unwrap();
        }
        assert!(link_pack(&pack, &into).unwrap());
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(&pack), inode(&into.join("linked.pack")));
        fs::remove_file(&pack).unwrap();
        assert_eq!(fs::read(into.join("linked.pack")).unwrap(), b"pack");
        fs::remove_dir_all(&into).unwrap();
        fs::create_dir(&into).unwrap();
        assert!(!link_pack(&pack, &into).unwrap(), "a pack that is gone is not linked");
    }
}
