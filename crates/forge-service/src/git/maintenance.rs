//! Keeping repositories quick: packs are combined as pushes bring them, and sorted anew now and then.
//!
//! Objects are copied first and durably; then one transaction changes the manifest; then the old files go. A crash at any
//! point leaves at most files that nothing names.
//! INVARIANT: a pack is marked as what the visible refs reach with the number of rewrites that was read *before* those refs. A
//! ref that loses history in the meantime makes the number another one, and the mark worth nothing.

use std::sync::Arc;
use std::time::Duration;

use forge_git::{Claim, LARGE, ListedPack, PackInfo, Plan, Rebuilt, Repository, Tips, crash, plan};
use forge_store::Tx;
use forge_store::inventory::ManifestPack;
use forge_store::pushes::{NewPack, PackContent};
use forge_types::id::RepositoryId;
use forge_types::{Error, Result, Timestamp};
use serde_json::json;
use tokio::sync::OwnedRwLockReadGuard;

use super::fault;
use super::settle::pack_row;
use crate::app::App;

/// The job that looks after the packs of a repository.
pub const ROLL_UP: &str = "repository.roll_up";

/// The job that sorts the packs of a repository anew, when it was done so lately that it has to wait.
pub const REBUILD: &str = "repository.rebuild";

/// A roll-up is asked for after so many changes of refs.
const EVERY: i64 = 16;

/// Fewer packs than this are left alone.
const WORTH: usize = 8;

/// How long a repository is left alone after a ref lost history: often more of them follow.
const SETTLE: Duration = Duration::from_secs(60);

/// How long a repository is left alone after it was rebuilt, for each of its objects.
const REST_PER_OBJECT: Duration = Duration::from_millis(1);

/// How long objects are kept that no ref reaches.
const GRACE: Duration = Duration::from_secs(14 * 24 * 3600);

/// While it lives, no pack goes away.
pub type Pause = OwnedRwLockReadGuard<()>;

impl super::Engine {
    /// Keeps packs from being replaced: for whoever copies the data directory as a whole.
    pub async fn pause_maintenance(&self) -> Pause {
        Arc::clone(&self.maintenance).read_owned().await
    }
}

fn payload(repository: RepositoryId) -> String {
    json!({ "repository_id": repository }).to_string()
}

/// What a change of refs was like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// How often refs of the repository changed, this time included.
    pub(crate) generation: i64,
    /// How many objects came with it.
    pub(crate) came: u64,
    /// May a visible ref have lost history?
    pub(crate) loses_history: bool,
}

/// Asks for maintenance when a repository has had so many changes, or so large a one, that it may be worth it, or has lost
/// history.
pub(crate) async fn ask_for_maintenance(
    tx: &mut Tx,
    repository: RepositoryId,
    change: Change,
    now: Timestamp,
) -> Result<()> {
    let payload = payload(repository);
    if change.generation % EVERY == 0 || change.came >= LARGE {
        forge_store::jobs::insert_once(tx, ROLL_UP, &payload, now, now).await?;
    }
    if change.loses_history {
        forge_store::jobs::insert_once(tx, REBUILD, &payload, now.plus(SETTLE), now).await?;
    }
    Ok(())
}

/// Asks for maintenance of a repository whose packs are not sorted any more.
pub(crate) async fn ask_to_sort(tx: &mut Tx, repository: RepositoryId, now: Timestamp) -> Result<()> {
    Ok(forge_store::jobs::insert_once(tx, REBUILD, &payload(repository), now, now).await?)
}

/// Asks for maintenance when a repository has so many packs that it may be worth it: for packs that no change of refs brings.
pub(crate) async fn ask_for_roll_up(tx: &mut Tx, repository: RepositoryId, now: Timestamp) -> Result<()> {
    if forge_store::inventory::count_packs(tx, repository).await? % EVERY == 0 {
        forge_store::jobs::insert_once(tx, ROLL_UP, &payload(repository), now, now).await?;
    }
    Ok(())
}

/// Does what it is time for in a repository. Doing it twice is harmless.
///
/// # Errors
/// `Unavailable` if the database or the file system is.
pub(crate) async fn look_after(app: &Arc<App>, id: RepositoryId) -> Result<()> {
    let packs = manifest(app, id).await?;
    let rests_until = rests_until(&packs, app.now());
    match plan(&listed(&packs), WORTH, rests_until.is_some()) {
        Plan::Nothing => {}
        Plan::Combine(old) => drop(combine(app, id, old).await?),
        Plan::Rebuild => drop(rebuild(app, id, names(&packs)).await?),
    }
    match rests_until.filter(|_| plan(&listed(&packs), WORTH, false) == Plan::Rebuild) {
        Some(when) => rebuild_later(app, id, when).await,
        None => Ok(()),
    }
}

async fn rebuild_later(app: &Arc<App>, id: RepositoryId, when: Timestamp) -> Result<()> {
    let mut tx = app.db.begin().await?;
    forge_store::jobs::insert_once(&mut tx, REBUILD, &payload(id), when, app.now()).await?;
    Ok(tx.commit().await?)
}

/// What was done to the packs of a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// How many packs were replaced; none if there was nothing to do.
    pub from: usize,
    /// How many there are instead.
    pub to: usize,
    /// How many objects those have.
    pub objects: u64,
}

/// Sorts the packs of a repository anew, unless they are sorted.
///
/// # Errors
/// `Unavailable` if the database or the file system is.
pub(crate) async fn sort_anew(app: &Arc<App>, id: RepositoryId) -> Result<Combined> {
    let packs = manifest(app, id).await?;
    let is_sorted = |packs: &[ManifestPack]| {
        packs.iter().any(|pack| pack.is_closure) && packs.iter().all(|pack| pack.is_closure || pack.is_cruft)
    };
    if packs.is_empty() || is_sorted(&packs) {
        return Ok(Combined::default());
    }
    rebuild(app, id, names(&packs)).await
}

async fn manifest(app: &Arc<App>, id: RepositoryId) -> Result<Vec<ManifestPack>> {
    Ok(forge_store::inventory::list_manifest(&mut app.db.read().await?, id).await?)
}

fn names(packs: &[ManifestPack]) -> Vec<String> {
    packs.iter().map(|pack| pack.name.clone()).collect()
}

fn listed(packs: &[ManifestPack]) -> Vec<ListedPack> {
    let each = |pack: &ManifestPack| ListedPack {
        name: pack.name.clone(),
        objects: u64::try_from(pack.object_count).unwrap_or(0),
        is_closure: pack.is_closure,
        is_cruft: pack.is_cruft,
    };
    packs.iter().map(each).collect()
}

/// Returns until when a repository is not rebuilt again, if that is not over: the longer that takes, the rarer it is done.
fn rests_until(packs: &[ManifestPack], now: Timestamp) -> Option<Timestamp> {
    let largest = packs.iter().max_by_key(|pack| pack.object_count)?;
    let objects = u32::try_from(largest.object_count).unwrap_or(u32::MAX);
    let until = largest.created_at.plus(REST_PER_OBJECT.saturating_mul(objects));
    (until > now && packs.len() > 1).then_some(until)
}

/// Copies the objects of some packs into one.
async fn combine(app: &Arc<App>, id: RepositoryId, old: Vec<String>) -> Result<Combined> {
    let repository = app.git.repository(id);
    let combined = repository.combine(&app.git.processes, &old, app.random_number()).await.map_err(fault)?;
    let Some(pack) = combined else { return Ok(Combined::default()) };
    let exchange = Exchange::begin(app, id, old, vec![(pack, PackContent::Any)]).await?;
    if !exchange.commit(app, false).await? {
        return exchange.undo(app).await;
    }
    exchange.finish(app).await
}

/// Sorts the objects of all packs into new ones.
async fn rebuild(app: &Arc<App>, id: RepositoryId, old: Vec<String>) -> Result<Combined> {
    let repository = app.git.repository(id);
    let (tips, rewrites) = {
        let mut conn = app.db.read().await?;
        let rewrites = forge_store::inventory::count_rewrites(&mut conn, id).await?;
        let Some(rewrites) = rewrites else { return Ok(Combined::default()) };
        let (visible, hidden) = forge_store::refs::list_tips(&mut conn, id).await?;
        (Tips { visible, hidden }, rewrites)
    };
    let unique = || app.random_number();
    let rebuilt = repository.rebuild(&app.git.processes, &tips, &old, GRACE, unique).await.map_err(fault)?;
    let Rebuilt { visible, hidden, cruft } = rebuilt;
    let new: Vec<(PackInfo, PackContent)> = [
        visible.clone().map(|pack| (pack, PackContent::VisibleAt(rewrites))),
        hidden.map(|pack| (pack, PackContent::Any)),
        cruft.map(|pack| (pack, PackContent::Cruft)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let exchange = Exchange::begin(app, id, old, new).await?;
    if !exchange.commit(app, true).await? {
        return exchange.undo(app).await;
    }
    match visible {
        Some(pack) => repository.index(&app.git.processes, &pack, &tips).await.map_err(fault)?,
        None => repository.remove_index().map_err(fault)?,
    }
    crash::point("maintain/indexed");
    exchange.finish(app).await
}

/// Packs that take the place of others.
struct Exchange {
    id: RepositoryId,
    repository: Repository,
    old: Vec<String>,
    new: Vec<(PackInfo, PackContent)>,
    claim: Claim,
}

impl Exchange {
    /// Makes sure that whatever happens, the next start knows which packs to look for.
    async fn begin(
        app: &Arc<App>,
        id: RepositoryId,
        old: Vec<String>,
        new: Vec<(PackInfo, PackContent)>,
    ) -> Result<Self> {
        crash::point("maintain/copied");
        let (repository, unique) = (app.git.repository(id), app.random_number());
        let claim = {
            let (repository, old) = (repository.clone(), old.clone());
            blocking(move || repository.claim_outgoing(&old, unique)).await?
        };
        crash::point("maintain/claimed");
        Ok(Self { id, repository, old, new, claim })
    }

    /// Changes the manifest; returns false if somebody else has changed it meanwhile, or the repository is gone. Whether a
    /// commit that failed happened is not known: then all packs stay until the next start.
    async fn commit(&self, app: &Arc<App>, is_rebuild: bool) -> Result<bool> {
        let rows: Vec<NewPack<'_>> =
            self.new.iter().map(|(pack, content)| pack_row(pack, *content)).collect();
        let mut tx = app.db.begin().await?;
        let (id, old) = (self.id, &self.old);
        if !forge_store::pushes::replace_packs(&mut tx, id, old, &rows, is_rebuild, app.now()).await? {
            return Ok(false);
        }
        crash::point("maintain/before-commit");
        tx.commit().await?;
        crash::point("maintain/after-commit");
        Ok(true)
    }

    /// Removes the new packs, which are on no manifest.
    async fn undo(self, app: &Arc<App>) -> Result<Combined> {
        let new = self.new.iter().map(|(pack, _)| pack.name.clone()).collect();
        self.remove(app, new).await?;
        Ok(Combined::default())
    }

    /// Removes the old packs, which are on no manifest any more.
    async fn finish(self, app: &Arc<App>) -> Result<Combined> {
        let objects = self.new.iter().map(|(pack, _)| pack.object_count).sum();
        let done = Combined { from: self.old.len(), to: self.new.len(), objects };
        tracing::info!(repository = self.id.0, ?done, "replaced packs");
        let old = self.old.clone();
        self.remove(app, old).await?;
        Ok(done)
    }

    /// Removes files, unless somebody copies the directory: then when that is over.
    async fn remove(self, app: &Arc<App>, names: Vec<String>) -> Result<()> {
        let _alone = app.git.maintenance.write().await;
        blocking(move || {
            names.iter().try_for_each(|name| self.repository.remove_pack_named(name))?;
            crash::point("maintain/removed");
            self.new.iter().try_for_each(|(pack, _)| self.repository.settle(&pack.name))?;
            self.claim.settle()
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> forge_git::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(fault)
}
