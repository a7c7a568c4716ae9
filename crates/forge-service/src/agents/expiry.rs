//! Removing agents that registered freely and that nobody bound in time.

use forge_types::account::AccountStatus;
use forge_types::id::AccountId;
use forge_types::{Action, Event, Result};

use crate::context::RequestContext;
use crate::repositories;
use crate::standing::hold_to_end;
use crate::target::Site;

/// How many agents one call removes.
const BATCH: i64 = 100;

/// Removes agents whose time to be bound is over: their credentials end, their repositories are deleted, their logins
/// stay taken. Returns how many there were. Safe to run again and beside itself.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge, as the job runner does.
pub async fn expire_unbound(ctx: &RequestContext) -> Result<usize> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    let due = forge_store::agents::list_expired(&mut conn, ctx.now(), BATCH).await?;
    drop(conn);
    let mut removed = 0;
    for agent in due {
        removed += usize::from(expire(ctx, agent).await?);
    }
    Ok(removed)
}

async fn expire(ctx: &RequestContext, agent: AccountId) -> Result<bool> {
    let mut tx = ctx.begin().await?;
    let now = ctx.now();
    hold_to_end(&mut tx, agent).await?;
    if !forge_store::agents::claim_expired(&mut tx, agent, now).await? {
        return Ok(false);
    }
    let reason = "nobody bound the agent in time";
    let revoked = forge_store::credentials::revoke_all(&mut tx, agent, reason, now).await?;
    forge_store::accounts::update_status(&mut tx, agent, AccountStatus::Deleted, Some(reason), now).await?;
    for repository in forge_store::repositories::list_to_delete(&mut tx, agent).await? {
        repositories::remove(ctx, &mut tx, &repository).await?;
    }
    let event = Event::new("agent.expired").subject(agent).with("revoked_credentials", revoked);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(true)
}
