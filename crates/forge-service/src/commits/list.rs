//! The commits of a branch, newest first.

use forge_git::history::LogQuery;
use forge_git::objects::Commit;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Result, Timestamp};

use super::MAX_VISITED;
use crate::accounts::commit_email;
use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{Opened, commit_of};
use crate::target::RepositoryTarget;

/// Which commits are asked for.
#[derive(Clone, Debug, Default)]
pub struct CommitQuery {
    /// Where to begin: a branch, a tag or a commit; the default branch when left out.
    pub revision: Option<String>,
    /// Only commits that change this file or directory.
    pub path: Option<String>,
    /// Only commits whose author has this address, or the one that stands for the account of this login.
    pub author: Option<String>,
    /// The same of the committer.
    pub committer: Option<String>,
    /// Only commits of this time or later.
    pub since: Option<Timestamp>,
    /// Only commits of this time or earlier.
    pub until: Option<Timestamp>,
}

/// Returns a page of commits.
///
/// # Errors
/// `NotFound` if there is nothing to begin at that the caller may read; `Conflict` if the repository is empty.
pub async fn list(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    query: &CommitQuery,
    page: PageRequest,
) -> Result<(RepositoryAccess, Page<Commit>)> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    opened.require_content()?;
    let start = opened.resolve(query.revision.as_deref()).await?.id;
    let nothing = || Page { items: Vec::new(), has_next: false, total: None };
    let Some(authors) = person(ctx, query.author.as_deref()).await? else {
        return Ok((opened.access, nothing()));
    };
    let Some(committers) = person(ctx, query.committer.as_deref()).await? else {
        return Ok((opened.access, nothing()));
    };
    let path = query.path.as_deref().map(|path| path.trim_matches('/')).filter(|path| !path.is_empty());
    let mut log = LogQuery {
        paths: path.map(|path| path.as_bytes().to_vec()).into_iter().collect(),
        authors,
        committers,
        since: query.since.map(Timestamp::as_seconds),
        until: query.until.map(Timestamp::as_seconds),
        skip: usize::try_from(page.offset()).unwrap_or(usize::MAX),
        limit: usize::try_from(page.size()).unwrap_or(usize::MAX),
        max_visited: MAX_VISITED,
        ..LogQuery::default()
    };
    let read = opened.read(move |objects| {
        log.tips = vec![commit_of(objects, start)?];
        let found = objects.log(&log).map_err(fault)?;
        let commits = found.ids.iter().map(|id| objects.commit(*id).map_err(fault));
        Ok(Page { items: commits.collect::<Result<_>>()?, has_next: found.has_more, total: None })
    });
    let commits = read.await?;
    Ok((opened.access, commits))
}

/// Returns what stands in the commits of a person; `None` if nobody has that login.
///
/// Only the address that the account shows is looked for: another one would say whose it is.
async fn person(ctx: &RequestContext, named: Option<&str>) -> Result<Option<Vec<Vec<u8>>>> {
    let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(Some(Vec::new())) };
    if named.contains('@') {
        return Ok(Some(vec![format!("<{named}>").into_bytes()]));
    }
    let found = forge_store::accounts::find_by_login(&mut ctx.read().await?, named).await?;
    Ok(found.map(|account| vec![format!("<{}>", commit_email(ctx, &account)).into_bytes()]))
}
