//! Writing refs into the repositories' directories, where `git` and the tools of administrators see them.

use forge_git::wire::{Ref, RefSnapshot};
use forge_store::Conn;
use forge_store::inventory::InventoryEntry;
use forge_types::{Action, Error, ObjectFormat, RefName, Result};

use super::each_repository;
use crate::context::RequestContext;
use crate::target::Site;

/// What was written for one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedRefs {
    /// `OWNER/NAME`.
    pub repository: String,
    /// How many refs.
    pub count: usize,
    /// The directory.
    pub directory: String,
}

/// Writes the refs of the repository called `only`, or of all, into their directories.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `NotFound` if there is no such repository.
pub async fn export_refs(ctx: &RequestContext, only: Option<&str>) -> Result<Vec<ExportedRefs>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    let mut exported = Vec::new();
    for entry in each_repository(&mut conn, only).await? {
        exported.push(export(ctx, &mut conn, entry).await?);
    }
    Ok(exported)
}

async fn export(ctx: &RequestContext, conn: &mut Conn, entry: InventoryEntry) -> Result<ExportedRefs> {
    let found = forge_store::repositories::find(conn, None, entry.id).await?.ok_or_else(Error::not_found)?;
    let head = RefName::branch(&found.repository.default_branch).map_err(Error::internal)?;
    let refs = forge_store::refs::list_visible(conn, entry.id).await?;
    let refs: Vec<Ref> = refs
        .into_iter()
        .map(|stored| Ref { name: stored.name, id: stored.object_id, peeled: stored.peeled_id })
        .collect();
    let count = refs.len();
    let directory = ctx.app().git.repository(entry.id);
    let path = directory.path().display().to_string();
    let snapshot = RefSnapshot::new(ObjectFormat::Sha1, head, refs);
    let work = tokio::task::spawn_blocking(move || directory.export_refs(&snapshot)).await;
    work.map_err(Error::internal)?.map_err(Error::internal)?;
    Ok(ExportedRefs { repository: entry.full_name, count, directory: path })
}
