//! Doing now what jobs do for repositories in their own time.

use forge_types::{Action, Event, Result};

use super::each_repository;
use crate::context::RequestContext;
use crate::git::{self, Combined};
use crate::target::Site;

/// What was done to one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// `OWNER/NAME`.
    pub repository: String,
    /// What became of its packs.
    pub packs: Combined,
}

/// Sorts the packs of the repository called `only`, or of all, anew.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `NotFound` if there is no such repository; `Unavailable` if the database
/// or the file system is.
pub async fn maintain(ctx: &RequestContext, only: Option<&str>) -> Result<Vec<Maintained>> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let entries = each_repository(&mut tx, only).await?;
    ctx.record(&mut tx, Event::new("repositories.maintained").with("count", entries.len())).await?;
    tx.commit().await?;
    let mut done = Vec::with_capacity(entries.len());
    for entry in entries {
        let packs = git::sort_anew(ctx.app(), entry.id).await?;
        done.push(Maintained { repository: entry.full_name, packs });
    }
    Ok(done)
}
