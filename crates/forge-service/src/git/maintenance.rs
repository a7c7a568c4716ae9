//! Keeping repositories quick: packs are combined as pushes bring them.
//!
//! Objects are copied first and durably; then one transaction changes the manifest; then the old files go. A crash at any
//! point leaves at most files that nothing names.

use std::sync::Arc;

use forge_git::{PackInfo, Repository, packs_to_combine};
use forge_store::Tx;
use forge_store::pushes::NewPack;
use forge_types::id::RepositoryId;
use forge_types::{Error, Result, Timestamp};
use serde_json::json;
use tokio::sync::OwnedRwLockReadGuard;

use super::fault;
use crate::app::App;

/// The job that combines the packs of a repository.
pub const ROLL_UP: &str = "repository.roll_up";

/// A roll-up is asked for after so many changes of refs.
const EVERY: i64 = 16;

/// Fewer packs than this are left alone.
const WORTH: usize = 8;

/// While it lives, no pack goes away.
pub type Pause = OwnedRwLockReadGuard<()>;

impl super::Engine {
    /// Keeps packs from being replaced: for whoever copies the data directory as a whole.
    pub async fn pause_maintenance(&self) -> Pause {
        Arc::clone(&self.maintenance).read_owned().await
    }
}

/// Asks for a roll-up when a repository has had so many changes that it may be worth it.
pub(crate) async fn ask_for_roll_up(
    tx: &mut Tx,
    repository: RepositoryId,
    generation: i64,
    now: Timestamp,
) -> Result<()> {
    if generation % EVERY == 0 {
        let payload = json!({ "repository_id": repository }).to_string();
        forge_store::jobs::insert(tx, ROLL_UP, &payload, now, now).await?;
    }
    Ok(())
}

/// Combines the small packs of a repository, if there are enough of them. Doing it twice is harmless.
///
/// # Errors
/// `Unavailable` if the database or the file system is.
pub(crate) async fn roll_up(app: &Arc<App>, id: RepositoryId) -> Result<()> {
    combine_packs(app, id, WORTH).await.map(drop)
}

/// What was done to the packs of a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// How many packs became one; none if there was nothing to do.
    pub from: usize,
    /// How many objects that one has.
    pub objects: u64,
}

/// Combines the small packs of a repository that has at least `worth` packs.
///
/// # Errors
/// `Unavailable` if the database or the file system is.
pub(crate) async fn combine_packs(app: &Arc<App>, id: RepositoryId, worth: usize) -> Result<Combined> {
    let packs = forge_store::inventory::list_packs_by_size(&mut app.db.read().await?, id).await?;
    if packs.len() < worth {
        return Ok(Combined::default());
    }
    let counts: Vec<i64> = packs.iter().map(|pack| pack.object_count).collect();
    let old: Vec<String> = packs.into_iter().take(packs_to_combine(&counts)).map(|pack| pack.name).collect();
    if old.len() < 2 {
        return Ok(Combined::default());
    }
    let repository = app.git.repository(id);
    let combined = repository.combine(&app.git.processes, &old, app.random_number()).await.map_err(fault)?;
    let Some(new) = combined else { return Ok(Combined::default()) };
    let _alone = app.git.maintenance.write().await;
    if replace(app, id, &old, &new).await? {
        tracing::info!(repository = id.0, from = old.len(), objects = new.object_count, "combined packs");
        let done = Combined { from: old.len(), objects: new.object_count };
        remove(repository, old).await?;
        Ok(done)
    } else {
        // Somebody else has combined them, or the repository is gone.
        remove(repository, vec![new.name]).await?;
        Ok(Combined::default())
    }
}

async fn replace(app: &Arc<App>, id: RepositoryId, old: &[String], new: &PackInfo) -> Result<bool> {
    let pack = NewPack {
        name: &new.name,
        object_count: i64::try_from(new.object_count).unwrap_or(i64::MAX),
        size_bytes: i64::try_from(new.size_bytes).unwrap_or(i64::MAX),
    };
    let mut tx = app.db.begin().await?;
    if !forge_store::pushes::replace_packs(&mut tx, id, old, pack, app.now()).await? {
        return Ok(false);
    }
    // Whether a failed commit happened is not known: then all packs stay.
    tx.commit().await?;
    Ok(true)
}

async fn remove(repository: Repository, names: Vec<String>) -> Result<()> {
    let remove = move || names.iter().try_for_each(|name| repository.remove_pack_named(name));
    tokio::task::spawn_blocking(remove).await.map_err(Error::internal)?.map_err(fault)
}
