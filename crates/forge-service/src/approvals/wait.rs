//! Waiting for a decision. Nothing is held meanwhile: no transaction, no connection, no turn.

use std::time::Duration;

use forge_store::approvals::ViewedApproval;
use forge_types::Result;
use forge_types::id::ApprovalId;
use tokio::time::Instant;

use crate::context::RequestContext;

/// How long one request waits at most: proxies give up on longer ones.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Returns an approval once nothing will change about it any more, or as it is after `patience`, of which at most
/// [`LONGEST_WAIT`] counts.
///
/// # Errors
/// As for [`find`](super::find), whenever that happens.
pub async fn wait(ctx: &RequestContext, id: &ApprovalId, patience: Duration) -> Result<ViewedApproval> {
    let deadline = Instant::now() + patience.min(LONGEST_WAIT);
    let mut news = ctx.app().decisions.listen();
    loop {
        let found = super::find(ctx, id).await?;
        if found.approval.state(ctx.now()).is_final() || Instant::now() >= deadline {
            return Ok(found);
        }
        let _ = tokio::time::timeout_at(deadline, news.wait()).await;
    }
}
