//! A branch and the commit it points to.

use forge_git::objects::{Commit, Objects};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, RefName, Result};

use crate::context::RequestContext;
use crate::git::fault;
use crate::target::{RefTarget, RepositoryTarget};

/// A branch, with its newest commit.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its name, without `refs/heads/`.
    pub name: String,
    /// The commit it points to.
    pub commit: Commit,
}

/// Returns one branch of a repository.
///
/// # Errors
/// `NotFound` if there is none, or the caller may not read the repository.
pub async fn find_branch(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
) -> Result<(RepositoryAccess, Branch)> {
    let full = RefName::branch(name).map_err(|_| Error::not_found())?;
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, RefTarget(target, &full), Action::CodeRead).await?;
    drop(conn);
    let id = found.part.ok_or_else(Error::not_found)?.object_id;
    let repository = ctx.app().git.repository(found.access.repository.id);
    let read = move || Objects::open(&repository).and_then(|mut objects| objects.commit(id)).map_err(fault);
    let commit = tokio::task::spawn_blocking(read).await.map_err(Error::internal)??;
    Ok((found.access, Branch { name: name.to_owned(), commit }))
}
