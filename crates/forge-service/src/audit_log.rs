//! Reading the audit log. Writing it is the context's.

use forge_store::Conn;
use forge_store::audit::AuditFilter;
use forge_types::id::{AuditEventId, RepositoryId};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Result};

pub use forge_store::audit::AuditEvent;

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
    let sees_all = ctx.may(&Site, Action::SiteAuditRead);
    let viewer = if sees_all {
        ctx.authorize(&mut conn, Site, Action::SiteAuditRead).await?;
        None
    } else {
        Some(ctx.authorize(&mut conn, OwnAccount, Action::AccountAuditRead).await?.id)
    };
    let page = PageRequest::new(1, size);
    if query.task.is_some() {
        // No task has run here, so no event is one's.
        return Ok(Page { items: Vec::new(), has_next: false, total: None });
    }
    let agent = match &query.agent {
        None => None,
        Some(login) => {
            Some(ctx.authorize(&mut conn, AgentTarget(login), Action::AgentRead).await?.account.id)
        }
    };
    let repository_id = match &query.repository {
        None => None,
        Some(repository) => Some(repository_id(ctx, &mut conn, repository, sees_all).await?),
    };
    let filter = AuditFilter {
        viewer_id: viewer,
        about_id: agent,
        repository_id,
        event: query.action,
        decision: query.decision,
        after: query.after,
        ..AuditFilter::default()
    };
    let rows = forge_store::audit::list(&mut conn, &filter, page.limit_with_lookahead()).await?;
    Ok(Page::from_lookahead(rows, page))
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
