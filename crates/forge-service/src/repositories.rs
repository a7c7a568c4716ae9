//! Repositories: creating, reading and changing them.

use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Result};

use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// Returns a repository and what the caller may do there.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn find(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<RepositoryAccess> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, target, Action::RepositoryRead).await
}
