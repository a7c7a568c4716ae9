//! The agent's consent to work for somebody it does not answer to.

use forge_types::grant::{GrantState, TaskGrant};
use forge_types::id::GrantId;
use forge_types::{Action, Error, Event, Result};

use super::{GrantTarget, event};
use crate::context::RequestContext;
use crate::standing::Standing;

/// Agrees to a grant, as the agent it is for. Agreeing twice changes nothing.
///
/// # Errors
/// `NotFound` if the caller is no part of it, `Forbidden` unless it is the agent with a credential of its own, `Conflict` if
/// the grant is over.
pub async fn consent(ctx: &RequestContext, id: &GrantId) -> Result<TaskGrant> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, GrantTarget(id), Action::TaskGrantConsent).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    forge_store::grants::hold_alone(&mut tx, id).await?;
    let mut found = ctx.authorize(&mut tx, GrantTarget(id), Action::TaskGrantConsent).await?.grant;
    match found.life.state(ctx.now()) {
        GrantState::Active => return Ok(found),
        GrantState::Expired | GrantState::Revoked => return Err(Error::conflict("the grant is over")),
        GrantState::PendingConsent => {}
    }
    if forge_store::grants::consent(&mut tx, id, ctx.now()).await? {
        found.life.consented_at = Some(ctx.now());
        let event: Event = event("task_grant.consented", &found);
        ctx.record(&mut tx, event).await?;
        tx.commit().await?;
    }
    Ok(found)
}
