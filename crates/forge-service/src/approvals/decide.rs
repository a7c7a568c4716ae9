//! What a human decides, in a browser, having proved to be there just now.

use forge_auth::policy::Decision;
use forge_store::Tx;
use forge_store::approvals::{self as store, Turn, ViewedApproval};
use forge_types::approval::{Approval, ApprovalState, Asked, MAX_COMMENT, REPEATABLE_FOR};
use forge_types::id::ApprovalId;
use forge_types::{Action, Error, FieldCode, Result};

use super::{ApprovalTarget, ended, execute, repeat};
use crate::context::RequestContext;
use crate::refs;
use crate::target::Facts;

/// What a human answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// What is said beside it.
    pub comment: &'a str,
    /// Does the human say to have looked, by other means, at what [`look`](super::look()) does not show?
    pub has_looked_elsewhere: bool,
}

/// Approves. Ref changes the forge makes now; a request is let through when it is made again within a quarter of an hour.
/// Returns the approval as it is then: `consumed`, `approved`, or `failed` if it cannot be done any more.
///
/// # Errors
/// `NotFound` unless the caller is part of it; `Forbidden` unless the caller is a person in a browser who proved to be there
/// within five minutes, did not ask for it, and may do it without asking; `Conflict` if it is over; `Invalid` for a comment
/// that is too long, or if something is not shown and the human does not say to have looked at it elsewhere.
pub async fn approve(ctx: &RequestContext, id: &ApprovalId, answer: &Answer<'_>) -> Result<Approval> {
    let comment = check_comment(answer.comment)?;
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, ApprovalTarget(id), Action::ApprovalDecide).await?;
    drop(conn);
    require_pending(ctx, &found.approval)?;
    let done = match found.approval.asked {
        Asked::Refs { .. } => execute::refs(ctx, &found.approval, comment, answer.has_looked_elsewhere).await,
        Asked::Request { action, .. } => repeat::allow(ctx, &found.approval, action, comment).await,
    };
    ctx.app().decisions.announce();
    done?;
    reload(ctx, id).await
}

/// Denies. What was kept for it is let go.
///
/// # Errors
/// As for [`approve`], but that whoever denies need not be able to do it.
pub async fn deny(ctx: &RequestContext, id: &ApprovalId, comment: &str) -> Result<Approval> {
    let comment = check_comment(comment)?;
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, ApprovalTarget(id), Action::ApprovalDecide).await?;
    let held = hold_pending(ctx, &mut tx, id).await?;
    settle(ctx, &mut tx, &held, ApprovalState::Denied, comment, None).await?;
    tx.commit().await?;
    ctx.app().decisions.announce();
    reload(ctx, id).await
}

/// Returns why the caller cannot decide about an approval; none if it can. Nothing is recorded.
#[must_use]
pub fn why_not(ctx: &RequestContext, found: &ViewedApproval) -> Option<String> {
    match ctx.rule(Action::ApprovalDecide, &found.resource(ctx)).decision {
        Decision::Allow => None,
        Decision::Deny(denial) => Some(denial.message),
    }
}

/// Holds an approval that waits, by somebody who still may act.
pub(super) async fn hold_pending(ctx: &RequestContext, tx: &mut Tx, id: &ApprovalId) -> Result<Approval> {
    let held = refs::take(tx, id).await?.ok_or_else(Error::not_found)?;
    if !ctx.still_stands(tx).await? {
        return Err(Error::bad_credentials());
    }
    require_pending(ctx, &held)?;
    Ok(held)
}

/// Writes what became of an approval, by whom, and lets go of what was kept for it.
pub(super) async fn settle(
    ctx: &RequestContext,
    tx: &mut Tx,
    held: &Approval,
    state: ApprovalState,
    comment: Option<&str>,
    outcome: Option<&str>,
) -> Result<()> {
    let expires_at = (state == ApprovalState::Approved).then(|| ctx.now().plus(REPEATABLE_FOR));
    let turn = Turn { state, decided_by: Some(ctx.account()?.id), comment, outcome, expires_at };
    if !store::turn(tx, &held.id, &turn, ctx.now()).await? {
        return Err(over());
    }
    refs::release(tx, held).await?;
    ctx.record(tx, ended(held, state, outcome).personal("comment", comment)).await
}

fn require_pending(ctx: &RequestContext, approval: &Approval) -> Result<()> {
    match approval.state(ctx.now()) {
        ApprovalState::Pending => Ok(()),
        _ => Err(over()),
    }
}

fn over() -> Error {
    Error::conflict("this was decided already, or is over")
}

fn check_comment(comment: &str) -> Result<Option<&str>> {
    let comment = comment.trim();
    if comment.chars().count() > MAX_COMMENT {
        let message = format!("comment has at most {MAX_COMMENT} characters");
        return Err(Error::invalid("Approval", "comment", FieldCode::Invalid, message));
    }
    Ok((!comment.is_empty()).then_some(comment))
}

async fn reload(ctx: &RequestContext, id: &ApprovalId) -> Result<Approval> {
    store::find(&mut ctx.read().await?, id).await?.ok_or_else(Error::not_found)
}
