//! Reading the audit log. Writing it is the context's.

use forge_store::Conn;
use forge_store::audit::AuditFilter;
use forge_types::id::{AccountId, AuditEventId, RepositoryId};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Result};

pub use forge_store::audit::{AuditEvent, Checkpoint};

use crate::agents::AgentTarget;
use crate::context::RequestContext;
use crate::target::{OwnAccount, RepositoryTarget, Site};

/// Which events are wanted; what is not said does not filter.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Events by or about the agent with this login.
    pub agent: Option<String>,
    /// Events of this task.
    pub task: Option<String>,
    /// Events under this grant.
    pub grant: Option<String>,
    /// Events about this repository, `OWNER/NAME` or its id.
    pub repository: Option<String>,
    /// Events with this name.
    pub action: Option<String>,
    /// Events with this decision, `allow` or `deny`.
    pub decision: Option<String>,
    /// Events after this one.
    pub after: Option<AuditEventId>,
}

/// Returns events, oldest first: a site administrator sees all, others what they and their agents did.
///
/// # Errors
/// `Unauthenticated` when anonymous; `NotFound` for an agent or repository the caller may not read.
pub async fn list(ctx: &RequestContext, query: AuditQuery, size: u32) -> Result<Page<AuditEvent>> {
    let mut conn = ctx.read().await?;
    let filter = viewer_and_filter(ctx, &mut conn, query).await?;
    let page = PageRequest::new(1, size);
    let rows = forge_store::audit::list(&mut conn, &filter, page.limit_with_lookahead()).await?;
    Ok(Page::from_lookahead(rows, page))
}

/// Returns checkpoints of the chain after the one with this id, oldest first.
///
/// # Errors
/// `Unauthenticated` when anonymous; what the decision says.
pub async fn list_checkpoints(ctx: &RequestContext, after: i64, size: u32) -> Result<Page<Checkpoint>> {
    let mut conn = ctx.read().await?;
    viewer(ctx, &mut conn).await?;
    let page = PageRequest::new(1, size);
    let rows = forge_store::audit::list_checkpoints(&mut conn, after, page.limit_with_lookahead()).await?;
    Ok(Page::from_lookahead(rows, page))
}

/// Decides which part of the log the caller may see: all (`None`), or that of one account.
async fn viewer(ctx: &RequestContext, conn: &mut Conn) -> Result<Option<AccountId>> {
    if ctx.may(&Site, Action::SiteAuditRead) {
        ctx.authorize(conn, Site, Action::SiteAuditRead).await?;
        return Ok(None);
    }
    Ok(Some(ctx.authorize(conn, OwnAccount, Action::AccountAuditRead).await?.id))
}

/// Decides which part of the log the caller may see, and returns what a query asks of it.
pub(super) async fn viewer_and_filter(
    ctx: &RequestContext,
    conn: &mut Conn,
    query: AuditQuery,
) -> Result<AuditFilter> {
    let viewer = viewer(ctx, conn).await?;
    filter(ctx, conn, query, viewer).await
}

/// Returns what a query asks of an event, for a viewer who sees only a part (`None`: all).
async fn filter(
    ctx: &RequestContext,
    conn: &mut Conn,
    query: AuditQuery,
    viewer: Option<AccountId>,
) -> Result<AuditFilter> {
    let agent = match &query.agent {
        None => None,
        Some(login) => Some(ctx.authorize(conn, AgentTarget(login), Action::AgentRead).await?.account.id),
    };
    let repository_id = match &query.repository {
        None => None,
        Some(repository) => Some(repository_id(ctx, conn, repository, viewer.is_none()).await?),
    };
    Ok(AuditFilter {
        viewer_id: viewer,
        about_id: agent,
        repository_id,
        task: query.task,
        grant_id: query.grant,
        events: query.action.map(|name| vec![name]),
        decision: query.decision,
        after: query.after,
        ..AuditFilter::default()
    })
}

/// An id needs no reading: it filters what the caller sees anyway. A name does, or it would tell what exists.
async fn repository_id(
    ctx: &RequestContext,
    conn: &mut Conn,
    repository: &str,
    sees_all: bool,
) -> Result<RepositoryId> {
    if let Ok(id) = repository.parse() {
        return Ok(RepositoryId(id));
    }
    let (owner, name) = repository.split_once('/').ok_or_else(Error::not_found)?;
    if sees_all {
        let found = forge_store::repositories::find_by_name(conn, None, owner, name).await?;
        return Ok(found.ok_or_else(Error::not_found)?.repository.id);
    }
    let target = RepositoryTarget::Name(owner, name);
    Ok(ctx.authorize(conn, target, Action::RepositoryRead).await?.repository.id)
}
