//! What a job does once a minute: writing what was noted in memory and forgetting what is long over.

use std::sync::Arc;
use std::time::Duration;

use forge_types::Result;

use crate::app::App;
use crate::{admin, agents, approvals};

/// How long what is over is kept, so that a replay is still told from a guess.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Writes when credentials were last used, removes agents that nobody bound in time, ends what waits
/// for a human in vain, and forgets codes,
/// counters and sessions that ended a day ago, proofs that would not be accepted any more, and who made objects that no ref
/// reached in time.
///
/// # Errors
/// `Unavailable` if the database is; the next call catches up.
pub async fn run(app: &Arc<App>) -> Result<()> {
    app.flush_uses().await?;
    agents::expire_unbound(&admin::job(app)).await?;
    approvals::sweep(app).await?;
    forge_store::proofs::delete_before(&app.db, app.now()).await?;
    let horizon = app.now().minus(KEPT);
    let mut tx = app.db.begin().await?;
    forge_store::oauth::device_codes::delete_before(&mut tx, horizon).await?;
    forge_store::oauth::authorization_codes::delete_before(&mut tx, horizon).await?;
    forge_store::oauth::pushed_requests::delete_before(&mut tx, horizon).await?;
    forge_store::throttles::delete_before(&mut tx, horizon).await?;
    forge_store::web_sessions::delete_before(&mut tx, horizon).await?;
    forge_store::made_objects::delete_before(&mut tx, app.now().minus(crate::objects::READABLE_FOR)).await?;
    Ok(tx.commit().await?)
}
