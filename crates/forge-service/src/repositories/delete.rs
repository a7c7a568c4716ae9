//! Deleting a repository. Its rows go in one transaction; its files are removed by a job that the same transaction
//! asks for.

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
    let id = found.repository.id;
    forge_store::repositories::delete(&mut tx, id).await?;
    let payload = json!({ "repository_id": id }).to_string();
    forge_store::jobs::insert(&mut tx, REMOVE_FILES, &payload, ctx.now(), ctx.now()).await?;
    let event = Event::new("repository.deleted").repository(id).with("name", found.repository.full_name());
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}
