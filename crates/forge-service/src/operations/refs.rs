//! Writing refs into the repositories' directories, where `git` and the tools of administrators see them.

use forge_git::wire::{Ref, RefSnapshot};
use forge_store::Conn;
use forge_store::inventory::InventoryEntry;
use forge_types::id::RepositoryId;
use forge_types::{Action, Error, ErrorKind, ObjectFormat, RefName, Result};

use crate::context::RequestContext;
use crate::target::Site;

/// How many repositories are listed at a time.
const BATCH: i64 = 100;

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
    let mut after = RepositoryId(0);
    loop {
        let batch = forge_store::inventory::list_repositories(&mut conn, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        for entry in batch {
            if only.is_none_or(|name| name.eq_ignore_ascii_case(&entry.full_name)) {
                exported.push(export(ctx, &mut conn, entry).await?);
            }
        }
    }
    match only {
        Some(name) if exported.is_empty() => {
            Err(Error::new(ErrorKind::NotFound, format!("there is no repository `{name}`")))
        }
        _ => Ok(exported),
    }
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
