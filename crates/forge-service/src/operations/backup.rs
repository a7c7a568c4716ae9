//! Who copies the forge as a whole: decided and recorded before the first byte is copied.

use forge_types::{Action, Event, Result};

use crate::context::RequestContext;
use crate::git::Pause;
use crate::target::Site;

/// Says that a backup begins, and keeps packs where they are until the answer is dropped. A backup holds everything, so it is
/// recorded like a change; the entry is in the backup too.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `Unavailable` if the database is.
pub async fn begin_backup(ctx: &RequestContext, has_keys: bool) -> Result<Pause> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    ctx.record(&mut tx, Event::new("backup.begun").with("has_keys", has_keys)).await?;
    tx.commit().await?;
    Ok(ctx.app().git.pause_maintenance().await)
}
