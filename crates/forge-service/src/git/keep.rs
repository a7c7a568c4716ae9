//! Objects that the forge makes itself: their pack, and the transaction that names it.
//!
//! INVARIANT: the pack is durable before the transaction begins, as that of a push is. If the transaction comes to nothing the
//! pack goes away again; if it is not known whether the commit happened, it stays.

use forge_git::objects::PackBuilder;
use forge_git::{PackInfo, Repository};
use forge_store::Tx;
use forge_types::id::RepositoryId;
use forge_types::{Error, Result};

use super::fault;
use super::settle::{Fate, settle};
use crate::context::RequestContext;
use crate::secrets;

/// Writes the objects of `pack`, if there are any, and has `change` make the transaction that names them, which is committed
/// here. All of it happens in a task that outlives the caller.
///
/// # Errors
/// What `change` says; `Invalid` if a live secret of the forge is in what is to be written; `Unavailable` if the database or the file system is.
pub(crate) async fn keep<T, F>(
    ctx: &RequestContext,
    repository: RepositoryId,
    pack: Option<PackBuilder>,
    change: impl FnOnce(Option<PackInfo>) -> F + Send + 'static,
) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<(Tx, T)>> + Send,
{
    let (directory, unique) = (ctx.app().git.repository(repository), ctx.app().random_number());
    let ctx = ctx.clone();
    let work = async move {
        let written = match pack {
            Some(pack) => Some(write(&ctx, (repository, directory.clone()), pack, unique).await?),
            None => None,
        };
        let (fate, result) = match change(written.clone()).await {
            Err(error) => (Fate::Unneeded, Err(error)),
            Ok((tx, value)) => match tx.commit().await {
                Ok(()) => (Fate::Kept, Ok(value)),
                Err(error) => (Fate::Unknown, Err(error.into())),
            },
        };
        if let Some(pack) = written {
            settle(directory, pack, fate).await;
        }
        result
    };
    tokio::spawn(work).await.map_err(Error::internal)?
}

/// Writes a pack, unless there is in it what must not be stored.
async fn write(
    ctx: &RequestContext,
    (repository, directory): (RepositoryId, Repository),
    pack: PackBuilder,
    unique: u128,
) -> Result<PackInfo> {
    let gather = move || pack.into_quarantine(&directory, unique);
    let gathered = tokio::task::spawn_blocking(gather).await.map_err(Error::internal)?.map_err(fault)?;
    let checked = secrets::check(ctx, repository, gathered).await?.map_err(Error::unprocessable)?;
    let published = checked.publish().await.map_err(fault)?;
    published.ok_or_else(|| Error::internal("an empty pack was to be written"))
}
