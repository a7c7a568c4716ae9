//! Deleting a repository. Its rows go in one transaction, and with them all that could find it; its name is free at once. What it
//! takes to have it back goes into tables of its own; its files are removed when their time is over, by a job that the
//! same transaction asks for.

use std::sync::Arc;

use forge_store::Tx;
use forge_store::accounts::Hold;
use forge_store::repositories::Descent;
use forge_types::id::RepositoryId;
use forge_types::repository::Repository;
use forge_types::{Action, Error, Event, Result, Timestamp};
use serde_json::json;

use crate::app::App;
use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// The job that removes the files of a deleted repository.
pub const REMOVE_FILES: &str = "repository.remove_files";

/// Deletes a repository.
///
/// # Errors
/// What the decision says.
pub async fn delete(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::RepositoryDelete).await?;
    remove(ctx, &mut tx, &found.repository).await?;
    Ok(tx.commit().await?)
}

/// Deletes a repository in a transaction of the caller's, who has decided that it may be. An administrator of the forge can have
/// it back for a while.
pub(crate) async fn remove(ctx: &RequestContext, tx: &mut Tx, repository: &Repository) -> Result<()> {
    let descent = hold(tx, repository).await?;
    let until = ctx.now().plus(ctx.settings().deleted_grace);
    forge_store::repositories::keep(tx, repository.id, ctx.account_id(), ctx.now(), until).await?;
    end(ctx, tx, repository, descent, until).await
}

/// The same for a repository that came to nothing: its files go at once.
pub(super) async fn undo(ctx: &RequestContext, tx: &mut Tx, repository: &Repository) -> Result<()> {
    let descent = hold(tx, repository).await?;
    end(ctx, tx, repository, descent, ctx.now()).await
}

/// Lets nobody fork it or delete it meanwhile.
async fn hold(tx: &mut Tx, repository: &Repository) -> Result<Descent> {
    let held = forge_store::repositories::hold_descent(tx, repository.id, Hold::Alone).await?;
    held.ok_or_else(Error::not_found)
}

async fn end(
    ctx: &RequestContext,
    tx: &mut Tx,
    repository: &Repository,
    descent: Descent,
    until: Timestamp,
) -> Result<()> {
    let id = repository.id;
    forge_store::repositories::delete_from_network(tx, id, descent).await?;
    let payload = json!({ "repository_id": id }).to_string();
    forge_store::jobs::insert(tx, REMOVE_FILES, &payload, until, ctx.now()).await?;
    let event = Event::new("repository.deleted").about(repository).with("name", repository.full_name());
    ctx.record(tx, event).await
}

/// Removes the files of a repository whose time is over, unless it was put back. Doing it twice is harmless.
pub(crate) async fn remove_files(app: &Arc<App>, id: RepositoryId) -> Result<()> {
    let mut tx = app.db.begin().await?;
    forge_store::repositories::forget_deleted(&mut tx, id, app.now()).await?;
    // One that was put back and deleted again has a later job.
    let is_kept = forge_store::repositories::find_deleted(&mut tx, id).await?.is_some()
        || forge_store::inventory::count_rewrites(&mut tx, id).await?.is_some();
    tx.commit().await?;
    if is_kept {
        return Ok(());
    }
    let engine = app.git.clone();
    tokio::task::spawn_blocking(move || engine.remove(id)).await.map_err(Error::internal)?
}
