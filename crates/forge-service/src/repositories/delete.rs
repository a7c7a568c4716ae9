//! Deleting a repository. Its rows go in one transaction; its files are removed by a job that the same transaction
//! asks for.

use forge_store::Tx;
use forge_types::repository::Repository;
use forge_types::{Action, Event, Result};
use serde_json::json;

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

/// Deletes a repository in a transaction of the caller's, who has decided that it may be.
pub(crate) async fn remove(ctx: &RequestContext, tx: &mut Tx, repository: &Repository) -> Result<()> {
    let id = repository.id;
    forge_store::repositories::delete(tx, id).await?;
    let payload = json!({ "repository_id": id }).to_string();
    forge_store::jobs::insert(tx, REMOVE_FILES, &payload, ctx.now(), ctx.now()).await?;
    let event = Event::new("repository.deleted").about(repository).with("name", repository.full_name());
    ctx.record(tx, event).await
}
