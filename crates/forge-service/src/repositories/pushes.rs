//! Pushes as readers of a repository see them: who pushed when, and what was signed of it.

use forge_store::push_certificates;
pub use forge_store::push_certificates::{ListedPush, PushCertificate};
use forge_types::id::PushId;
use forge_types::page::PageRequest;
use forge_types::{Action, Error, Result};

use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// Returns the pushes to a repository, newest first, those before `before` if it says one, and whether there are more.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn list_pushes(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    before: Option<PushId>,
    size: PageRequest,
) -> Result<(Vec<ListedPush>, bool)> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CodeRead).await?;
    Ok(push_certificates::list(&mut conn, found.repository.id, before, size).await?)
}

/// Returns what was signed of a push to a repository.
///
/// # Errors
/// `NotFound` if the caller may not read the repository, there is no such push, or it was not signed.
pub async fn find_certificate(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    push: PushId,
) -> Result<PushCertificate> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CodeRead).await?;
    let certificate = push_certificates::find(&mut conn, found.repository.id, push).await?;
    certificate.ok_or_else(Error::not_found)
}
