//! Packs and manifests after a transaction, and after a crash.

use std::collections::HashSet;
use std::sync::Arc;

use forge_git::{Claim, PackInfo, Repository};
use forge_store::pushes::{NewPack, PackContent};
use forge_types::id::RepositoryId;
use forge_types::{Error, Result};

use super::fault;
use crate::app::App;

/// What became of a pack that is durably in a repository's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The manifest names it.
    Kept,
    /// Nothing names it.
    Unneeded,
    /// A commit failed, and whether it happened is not known: the next start finds out.
    Unknown,
}

/// Returns the row that names a pack on its manifest.
pub(crate) fn pack_row(pack: &PackInfo, content: PackContent) -> NewPack<'_> {
    NewPack {
        name: &pack.name,
        object_count: i64::try_from(pack.object_count).unwrap_or(i64::MAX),
        size_bytes: i64::try_from(pack.size_bytes).unwrap_or(i64::MAX),
        content,
    }
}

/// Removes a pack that is not needed, and ends its claim once its fate is known. A claim that cannot be ended is for the next
/// start.
pub(crate) async fn settle(repository: Repository, pack: PackInfo, fate: Fate) {
    let settle = move || {
        match fate {
            Fate::Kept => {}
            Fate::Unneeded => repository.remove_pack(&pack)?,
            Fate::Unknown => return Ok(()),
        }
        repository.settle(&pack.name)
    };
    match tokio::task::spawn_blocking(settle).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a pack is to be looked after at the next start"),
        Err(error) => tracing::warn!(%error, "a pack is to be looked after at the next start"),
    }
}

/// Takes away the packs that former processes left on no manifest. Before the first request.
///
/// # Errors
/// `Unavailable` if the database is; `Internal` if the file system refuses.
pub async fn recover(app: &Arc<App>) -> Result<()> {
    let storage = app.git.storage.clone();
    let claims = tokio::task::spawn_blocking(move || storage.claims()).await.map_err(Error::internal)?;
    for claim in claims.map_err(fault)? {
        let id = RepositoryId(claim.repository);
        let (known, is_there) = {
            let mut conn = app.db.read().await?;
            let mut known = forge_store::inventory::list_packs(&mut conn, id).await?;
            // One that was deleted may come back.
            known.extend(forge_store::repositories::list_deleted_packs(&mut conn, id).await?);
            let is_there = forge_store::inventory::count_rewrites(&mut conn, id).await?.is_some()
                || forge_store::repositories::find_deleted(&mut conn, id).await?.is_some();
            (known, is_there)
        };
        let known: HashSet<String> = known.into_iter().collect();
        let (repository, engine) = (app.git.repository(id), app.git.clone());
        let remove = move || {
            let removed = take_away(&repository, &claim, &known)?;
            if !is_there {
                // A fork that was never there, or a repository that is no more.
                engine.storage.remove(claim.repository)?;
            }
            claim.settle()?;
            Ok(removed)
        };
        let removed = tokio::task::spawn_blocking(remove).await.map_err(Error::internal)?.map_err(fault)?;
        if removed > 0 {
            tracing::info!(repository = id.0, removed, "removed packs that a former process left");
        }
    }
    Ok(())
}

fn take_away(repository: &Repository, claim: &Claim, known: &HashSet<String>) -> forge_git::Result<usize> {
    let there: HashSet<String> = repository.pack_names()?.into_iter().collect();
    let strays: Vec<&String> =
        claim.packs.iter().filter(|name| there.contains(*name) && !known.contains(*name)).collect();
    if !strays.is_empty() {
        // It may name one of them; the next sorting makes it anew.
        repository.remove_index()?;
    }
    strays.iter().try_for_each(|name| repository.remove_pack_named(name))?;
    Ok(strays.len())
}
