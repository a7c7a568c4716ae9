//! Requests that are let through when they are made again, once a human has approved exactly them.
//!
//! An edge says with [`prepare`] what the request is, whole. Where the decision then asks for a human, the request is put
//! down and answered with its approval; where it was approved before, it goes on, and the approval is used up in the
//! transaction of the first effect that is recorded.
//! INVARIANT: an approval that was let through is used in the same transaction as what it allowed, or nothing happens.

use forge_auth::policy::{Denial, Effect, GrantFacts};
use forge_store::Tx;
use forge_store::approvals::{self as store, NewApproval, Turn};
use forge_types::approval::{Approval, ApprovalNote, ApprovalState, Asked, LIFETIME, MAX_BODY, MAX_PENDING};
use forge_types::id::ApprovalId;
use forge_types::{Action, Error, Event, Result, Timestamp};
use serde_json::{Value, json};

use super::decide::{hold_pending, settle};
use super::execute::reason_of;
use super::{Place, digest, note};
use crate::audit::Ids;
use crate::audit::content::canonical;
use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::refs;
use crate::target::RepositoryTarget;

/// What the request is, and what its sender asked for before.
pub(crate) struct Repeat {
    line: String,
    body: String,
    open: Vec<Approval>,
    asks: Vec<Ask>,
    used: Vec<ApprovalId>,
}

/// Something that is put down at the end of the request.
pub(crate) struct Ask {
    note: ApprovalNote,
    asked: Asked,
    place: Place,
    digest: String,
    action: Action,
    rule: String,
    reason: String,
}

/// Says what the request is, so that a human can be asked about it. Requests that nobody can be asked about are left alone:
/// those of callers whom nothing makes ask, and those whose body is longer than people read.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn prepare(ctx: &RequestContext, method: &str, path: &str, body: &[u8]) -> Result<()> {
    if ctx.caller().credential.is_none() || body.len() > MAX_BODY {
        return Ok(());
    }
    let Ok(text) = std::str::from_utf8(body) else { return Ok(()) };
    let mut conn = ctx.read().await?;
    // A policy that was added a moment ago, elsewhere perhaps, may be the one that asks.
    ctx.app().policies.refresh(&mut conn).await?;
    if !may_have_to_ask(ctx) {
        return Ok(());
    }
    let body =
        serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| canonical(&value));
    let open = store::list_open_of(&mut conn, ctx.account()?.id, ctx.now()).await?;
    let line = format!("{method} {path}");
    *ctx.repeat() = Some(Repeat { line, body, open, asks: Vec::new(), used: Vec::new() });
    Ok(())
}

/// Returns whether anything makes the caller ask a human for some action.
fn may_have_to_ask(ctx: &RequestContext) -> bool {
    let is_asked = |grant: &GrantFacts| !grant.terms.constraints.requires_approval.is_empty();
    ctx.policies().ask_humans() || ctx.grants().iter().any(is_asked)
}

impl Repeat {
    /// Lets the action through if a human has approved just this request; else has the human asked.
    pub(crate) fn ask(
        &mut self,
        ctx: &RequestContext,
        ids: Ids,
        action: Action,
        denial: &Denial,
    ) -> Result<()> {
        let place = Place { repository: ids.repository_id, organization: ids.organization_id };
        let (Some(credential), true) = (ctx.caller().credential.as_ref(), can_be_asked(action, place)) else {
            return Err(Error::forbidden(denial.message.as_str()));
        };
        let asked = Asked::Request { action, line: self.line.clone(), body: self.body.clone() };
        let digest = digest(ctx, credential, place, &asked)?;
        if let Some(known) = self.open.iter().find(|one| one.digest == digest) {
            if known.state(ctx.now()) != ApprovalState::Approved {
                return Err(Error::approval_required(note(ctx, &known.id, known.expires_at, &known.reason)));
            }
            if !self.used.contains(&known.id) {
                self.used.push(known.id.clone());
            }
            return Ok(());
        }
        if let Some(ask) = self.asks.iter().find(|ask| ask.digest == digest) {
            return Err(Error::approval_required(ask.note.clone()));
        }
        let waiting = self.open.len() + self.asks.len();
        if i64::try_from(waiting).is_ok_and(|count| count >= MAX_PENDING) {
            let message = format!("{MAX_PENDING} requests of this account wait for a human already");
            return Err(Error::forbidden(message));
        }
        let id = ApprovalId(ctx.app().random_id(ApprovalId::PREFIX));
        let note = note(ctx, &id, ctx.now().plus(LIFETIME), &denial.message);
        let (rule, reason) = (denial.rule.to_string(), denial.message.clone());
        self.asks.push(Ask { note: note.clone(), asked, place, digest, action, rule, reason });
        Err(Error::approval_required(note))
    }

    /// Forgets what was asked and used, because the request is tried again.
    pub(crate) fn restart(&mut self) {
        self.asks.clear();
        self.used.clear();
    }

    pub(crate) fn take_asks(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.asks)
    }
}

/// A human decides about a repository or an organization, and only about what changes something.
const fn can_be_asked(action: Action, place: Place) -> bool {
    !action.is_read() && (place.repository.is_some() || place.organization.is_some())
}

impl Ask {
    /// Writes what waits. Should the same request have come twice at once, the first is the one that waits.
    pub(crate) async fn put_down(self, ctx: &RequestContext, tx: &mut Tx) -> Result<()> {
        let new = NewApproval {
            id: &self.note.id,
            requester: ctx.account()?.id,
            acting: ctx.caller().acting.as_ref().map(|human| human.id),
            credential: ctx.caller().credential.as_ref().ok_or_else(Error::requires_authentication)?.id,
            grant: ctx.grant_id(),
            repository: self.place.repository,
            organization: self.place.organization,
            asked: &self.asked,
            digest: &self.digest,
            rule: &self.rule,
            reason: &self.reason,
            expires_at: self.note.expires_at,
        };
        if !refs::make_room(ctx, tx, &self.digest).await? {
            return Ok(());
        }
        store::insert(tx, &new, ctx.now()).await?;
        // Not as an effect, which would use up what other parts of the request were let through by.
        crate::audit::record(ctx, tx, self.event(self.note.expires_at)).await
    }

    fn event(&self, expires_at: Timestamp) -> Event {
        let mut event = Event::new("approval.requested")
            .with("approval_id", self.note.id.0.as_str())
            .with("action", self.action.as_str())
            .with("rule", self.rule.as_str())
            .with("digest", self.digest.as_str())
            .with("expires_at", expires_at.to_string())
            .causing(json!({ "asked": self.asked }));
        if let Some(id) = self.place.repository {
            event = event.repository(id);
        }
        if let Some(id) = self.place.organization {
            event = event.organization(id);
        }
        event
    }
}

/// Uses up what let this request through, in the transaction of its effect; returns what that was.
pub(crate) async fn settle_repeat(ctx: &RequestContext, tx: &mut Tx) -> Result<Vec<ApprovalId>> {
    let used = ctx.repeat().as_ref().map(|repeat| repeat.used.clone()).unwrap_or_default();
    for id in &used {
        let request = ctx.info().id.0.as_str();
        let turn = Turn {
            state: ApprovalState::Consumed,
            decided_by: None,
            comment: None,
            outcome: Some(request),
            expires_at: None,
        };
        let held = store::hold(tx, id).await?.ok_or_else(gone)?;
        let is_ours =
            held.stored_state == ApprovalState::Consumed && held.outcome.as_deref() == Some(request);
        if is_ours {
            continue;
        }
        let is_good = held.state(ctx.now()) == ApprovalState::Approved;
        if !is_good || !store::turn(tx, id, &turn, ctx.now()).await? {
            return Err(gone());
        }
    }
    Ok(used)
}

fn gone() -> Error {
    Error::conflict("the approval of this request was used meanwhile, or is over: ask again")
}

/// Returns why a request would not be let through for whoever asked, were it approved.
pub(super) async fn obstacle(
    asker: &RequestContext,
    approval: &Approval,
    action: Action,
) -> Result<Option<String>> {
    let mut conn = asker.read().await?;
    let decided = match (approval.repository_id, approval.organization_id) {
        (Some(id), _) => {
            match asker.authorize(&mut conn, RepositoryTarget::Id(id), Action::RepositoryRead).await {
                Ok(found) => {
                    asker.look_at_policies(&mut conn, &found).await?;
                    asker.ask(&found, action)
                }
                Err(error) => return reason_of(error),
            }
        }
        (None, Some(id)) => {
            match asker.authorize(&mut conn, OrganizationTarget::Id(id), Action::OrganizationRead).await {
                Ok(found) => {
                    asker.look_at_policies(&mut conn, &found).await?;
                    asker.ask(&found, action)
                }
                Err(error) => return reason_of(error),
            }
        }
        (None, None) => return Ok(Some("what it is about is gone".to_owned())),
    };
    let denial = decided.err().filter(|denial| denial.effect != Effect::Approval);
    Ok(denial.map(|denial| denial.message))
}

/// Approves a request: whoever does has to be able to do the same.
pub(super) async fn allow(
    ctx: &RequestContext,
    approval: &Approval,
    action: Action,
    comment: Option<&str>,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let held = hold_pending(ctx, &mut tx, &approval.id).await?;
    let own = match (held.repository_id, held.organization_id) {
        (Some(id), _) => {
            let found = ctx.authorize(&mut tx, RepositoryTarget::Id(id), Action::RepositoryRead).await?;
            ctx.look_at_policies(&mut tx, &found).await?;
            ctx.ask(&found, action)
        }
        (None, Some(id)) => {
            let found = ctx.authorize(&mut tx, OrganizationTarget::Id(id), Action::OrganizationRead).await?;
            ctx.look_at_policies(&mut tx, &found).await?;
            ctx.ask(&found, action)
        }
        (None, None) => return Err(Error::not_found()),
    };
    if let Err(denial) = own
        && denial.effect != Effect::Approval
    {
        let message = format!("you could not do this yourself, so you cannot approve it: {}", denial.message);
        return Err(Error::forbidden(message));
    }
    settle(ctx, &mut tx, &held, ApprovalState::Approved, comment, None).await?;
    Ok(tx.commit().await?)
}
