//! Fewer, larger and better sorted packs: every push brings a pack, and each one is another place to look.
//!
//! Two things are done. [`Repository::combine`] copies the objects of some small packs into one. [`Repository::rebuild`] sorts
//! all objects anew: what the visible refs reach goes into one pack, which a full clone is a copy of; what hidden refs reach
//! besides into a second; what no ref reaches into a third, from which it vanishes when it is old enough. [`plan`] says which
//! of the two it is time for.
//!
//! Old packs stay until the caller has changed the manifest; a reader that listed them before finds their objects in the new
//! ones.

mod index;
mod pack;
mod plan;

use std::time::Duration;

use forge_types::ObjectId;

use crate::process::Processes;
use crate::{PackInfo, Repository, Result};
use pack::pack;

pub(crate) use pack::run;
pub use plan::{LARGE, ListedPack, Plan, plan};

/// What refs point to.
#[derive(Clone, Debug, Default)]
pub struct Tips {
    /// What those point to that every reader sees.
    pub visible: Vec<ObjectId>,
    /// What the others point to.
    pub hidden: Vec<ObjectId>,
}

/// The packs that a rebuilt repository has.
#[derive(Clone, Debug, Default)]
pub struct Rebuilt {
    /// Exactly what the visible refs reach.
    pub visible: Option<PackInfo>,
    /// What only hidden refs reach.
    pub hidden: Option<PackInfo>,
    /// What no ref reaches and is not yet old enough to go.
    pub cruft: Option<PackInfo>,
}

impl Rebuilt {
    /// Returns all of them.
    pub fn packs(&self) -> impl Iterator<Item = &PackInfo> {
        [&self.visible, &self.hidden, &self.cruft].into_iter().flatten()
    }
}

impl Repository {
    /// Copies the objects of these packs into a new one, durably. `unique` is a number that no other pack was or will be given.
    pub async fn combine(
        &self,
        processes: &Processes,
        names: &[String],
        unique: u128,
    ) -> Result<Option<PackInfo>> {
        let input: String = names.iter().map(|name| format!("{name}.pack\n")).collect();
        pack(self, processes, unique, &["--stdin-packs"], input).await
    }

    /// Sorts the objects of these packs, which are all that the refs need, into new ones, durably. What no ref reaches is kept
    /// for `grace` after it came. Each call of `unique` returns a number that no other pack was or will be given.
    pub async fn rebuild(
        &self,
        processes: &Processes,
        tips: &Tips,
        old: &[String],
        grace: Duration,
        mut unique: impl FnMut() -> u128,
    ) -> Result<Rebuilt> {
        let mut rebuilt = Rebuilt::default();
        if !tips.visible.is_empty() {
            rebuilt.visible = pack(self, processes, unique(), &["--revs"], lines("", &tips.visible)).await?;
        }
        if !tips.hidden.is_empty() {
            let input = lines("", &tips.hidden) + &lines("^", &tips.visible);
            rebuilt.hidden = pack(self, processes, unique(), &["--revs"], input).await?;
        }
        let kept = rebuilt.packs().map(|pack| format!("{}.pack\n", pack.name));
        let input: String = kept.chain(old.iter().map(|name| format!("-{name}.pack\n"))).collect();
        let expiration = format!("--cruft-expiration={}.seconds.ago", grace.as_secs());
        rebuilt.cruft = pack(self, processes, unique(), &["--cruft", &expiration], input).await?;
        Ok(rebuilt)
    }
}

fn lines(before: &str, ids: &[ObjectId]) -> String {
    ids.iter().map(|id| format!("{before}{id}\n")).collect()
}
