//! Ending what nobody can decide about any more: its time is over, or what it rests on was taken away.

use std::sync::Arc;

use forge_store::approvals::{self as store, Turn};
use forge_types::Result;
use forge_types::approval::{Approval, ApprovalState};

use super::ended;
use crate::app::App;
use crate::context::RequestContext;
use crate::{admin, refs};

/// How many are ended in one go.
const AT_ONCE: i64 = 200;

/// Ends approvals that are void, each with what was kept for it in a transaction of its own.
///
/// # Errors
/// `Unavailable` if the database is; the next call catches up.
pub async fn sweep(app: &Arc<App>) -> Result<()> {
    let ctx = admin::job(app);
    loop {
        let found = store::list_void(&mut ctx.read().await?, AT_ONCE, ctx.now()).await?;
        for approval in &found {
            end(&ctx, approval).await?;
        }
        if found.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

/// Does the same in a moment, because something ended that others may rest on. Should it fail, the next minute does it.
pub(crate) fn sweep_soon(app: &Arc<App>) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "what waits in vain is ended later");
        }
    });
}

async fn end(ctx: &RequestContext, approval: &Approval) -> Result<()> {
    let (state, outcome) = match approval.state(ctx.now()) {
        ApprovalState::Expired => (ApprovalState::Expired, "nobody decided in time"),
        _ => (ApprovalState::Cancelled, "what it was asked with has ended"),
    };
    let mut tx = ctx.begin().await?;
    refs::take(&mut tx, &approval.id).await?;
    let turn = Turn { state, decided_by: None, comment: None, outcome: Some(outcome), expires_at: None };
    if store::turn(&mut tx, &approval.id, &turn, ctx.now()).await? {
        refs::release(&mut tx, approval).await?;
        ctx.record(&mut tx, ended(approval, state, Some(outcome))).await?;
        tx.commit().await?;
        ctx.app().decisions.announce();
    }
    Ok(())
}
