//! Approvals: what waits for a human, who decides, and what happens then.
//!
//! What waits is put down where it would have been done, in `refs`. `look` shows what is decided about, `decide` is what a
//! human does in a browser, `execute` has the forge do what was approved, `repeat` lets an approved request through, `wait`
//! is for whoever asked, `sweep` ends what nobody can decide about any more.

mod decide;
mod execute;
mod look;
mod repeat;
mod room;
mod sweep;
mod target;
mod wait;

use std::collections::{HashMap, HashSet};

use data_encoding::HEXLOWER;
pub use forge_store::approvals::ApprovalFilter;
use forge_store::approvals::{Turn, ViewedApproval};
use forge_types::approval::{Approval, ApprovalNote, ApprovalState, Asked};
use forge_types::id::{AccountId, ApprovalId, RepositoryId};
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, Event, Result, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use crate::audit::content::canonical;
use crate::context::{CallerCredential, RequestContext};
use crate::refs;
use crate::target::{OwnAccount, RepositoryTarget, Site, Target};

pub use decide::{Answer, approve, deny, why_not};
pub use look::{Content, Look, ShownChange, ShownCommits, ShownFiles, Unshown, look};
pub use repeat::prepare;
pub(crate) use repeat::{Repeat, settle_repeat};
pub use room::{Hidden, ShownCommit, ShownFile, ShownTag};
pub use sweep::sweep;
pub(crate) use sweep::sweep_soon;
pub(crate) use target::ApprovalTarget;
pub use wait::{LONGEST_WAIT, wait};

/// Returns an approval.
///
/// # Errors
/// `NotFound` unless the caller asked, is the human of who asked, delegated, or may write to the repository.
pub async fn find(ctx: &RequestContext, id: &ApprovalId) -> Result<ViewedApproval> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, ApprovalTarget(id), Action::ApprovalRead).await
}

/// Returns a page of the approvals the caller is part of, newest first; a task token sees those of its grant, a site
/// administrator all.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list(
    ctx: &RequestContext,
    mut filter: ApprovalFilter,
    page: PageRequest,
) -> Result<Page<ViewedApproval>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::ApprovalList).await?;
    if let Some(grant) = ctx.grant_id() {
        if filter.grant.as_ref().is_some_and(|asked| asked != grant) {
            return Ok(Page::counted(Vec::new(), page, Some(0)));
        }
        filter.grant = Some(grant.clone());
    }
    let sees_all = ctx.may(&Site, Action::SiteAuditRead);
    Ok(forge_store::approvals::list(&mut conn, own.id, sees_all, &filter, page, ctx.now()).await?)
}

/// Returns the repositories that approvals are about, as far as the caller may read them.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn repositories(
    ctx: &RequestContext,
    approvals: &[ViewedApproval],
) -> Result<HashMap<RepositoryId, RepositoryAccess>> {
    let ids: HashSet<RepositoryId> = approvals.iter().filter_map(|one| one.approval.repository_id).collect();
    let mut conn = ctx.read().await?;
    let mut found = HashMap::new();
    for id in ids {
        let loaded = RepositoryTarget::Id(id).load(ctx, &mut conn).await?;
        if let Some(access) = loaded.filter(|access| ctx.may(access, Action::RepositoryRead)) {
            found.insert(id, access);
        }
    }
    Ok(found)
}

/// Takes back what the caller, or the caller's agent, asked for. Taking back what is over changes nothing.
///
/// # Errors
/// `NotFound` unless the caller is part of it, `Forbidden` unless it asked or is the human of who asked.
pub async fn cancel(ctx: &RequestContext, id: &ApprovalId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, ApprovalTarget(id), Action::ApprovalCancel).await?;
    let held = refs::take(&mut tx, id).await?.ok_or_else(Error::not_found)?;
    let outcome = format!("taken back by {}", ctx.account()?.login);
    let turn = Turn {
        state: ApprovalState::Cancelled,
        decided_by: None,
        comment: None,
        outcome: Some(&outcome),
        expires_at: None,
    };
    if !forge_store::approvals::turn(&mut tx, id, &turn, ctx.now()).await? {
        return Ok(());
    }
    refs::release(&mut tx, &held).await?;
    ctx.record(&mut tx, ended(&held, turn.state, turn.outcome)).await?;
    tx.commit().await?;
    ctx.app().decisions.announce();
    Ok(())
}

/// What something that waits is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) repository: Option<RepositoryId>,
    pub(crate) organization: Option<AccountId>,
}

impl Place {
    pub(crate) const fn of_repository(id: RepositoryId) -> Self {
        Self { repository: Some(id), organization: None }
    }
}

/// Returns what whoever asked is told.
pub(crate) fn note(
    ctx: &RequestContext,
    id: &ApprovalId,
    expires_at: Timestamp,
    reason: &str,
) -> ApprovalNote {
    let settings = ctx.settings();
    let below = |origin: &Url, path: String| format!("{}/{path}", origin.as_str().trim_end_matches('/'));
    ApprovalNote {
        id: id.clone(),
        reason: reason.to_owned(),
        expires_at,
        status_url: below(&settings.people_origin, format!("api/ext/v1/approvals/{id}")),
        approve_url: below(&settings.people_origin, format!("approvals/{id}")),
    }
}

/// Returns the digest of who asks for what: the account, the human who acts as it, the grant, the key it holds, the
/// repository and everything that was asked for, as canonical JSON.
pub(crate) fn digest(
    ctx: &RequestContext,
    credential: &CallerCredential,
    place: Place,
    asked: &Asked,
) -> Result<String> {
    let content = json!({
        "v": 1,
        "requester": ctx.account()?.id,
        "acting": ctx.caller().acting.as_ref().map(|human| human.id),
        "grant": ctx.grant_id(),
        "key": credential.cnf_jkt.as_ref().or(credential.cnf_x5t.as_ref()),
        "repository": place.repository,
        "organization": place.organization,
        "asked": asked,
    });
    let digest = Sha256::digest(canonical(&content));
    Ok(HEXLOWER.encode(&digest))
}

/// Returns the event that an approval reached a state.
pub(crate) fn ended(approval: &Approval, state: ApprovalState, outcome: Option<&str>) -> Event {
    let name = match state {
        ApprovalState::Pending => "approval.requested",
        ApprovalState::Approved => "approval.approved",
        ApprovalState::Denied => "approval.denied",
        ApprovalState::Expired => "approval.expired",
        ApprovalState::Cancelled => "approval.cancelled",
        ApprovalState::Consumed => "approval.consumed",
        ApprovalState::Failed => "approval.failed",
    };
    let mut event = Event::new(name).subject(approval.requester.id);
    if let Some(id) = approval.repository_id {
        event = event.repository(id);
    }
    if let Some(id) = approval.organization_id {
        event = event.organization(id);
    }
    event
        .with("approval_id", approval.id.0.as_str())
        .with("digest", approval.digest.as_str())
        .with("outcome", outcome)
}
