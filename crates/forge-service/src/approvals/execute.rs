//! Doing what was approved, as whoever asked, under what holds now.
//!
//! INVARIANT: nothing is decided here. The ref gate decides again about whoever asked, with the grant and the credential it was
//! asked with, as if it was asked now; the approval lifts the need to ask and nothing else. Whoever approves has to be able
//! to do the same, by the same gate.

use forge_auth::policy::{Means, Subject};
use forge_git::objects::Objects;
use forge_types::approval::{Approval, ApprovalState, Asked, HeldChange};
use forge_types::id::RepositoryId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, Result};

use super::decide::{hold_pending, settle};
use super::look;
use crate::authenticate::{self, is_unrevoked};
use crate::context::RequestContext;
use crate::git::fault;
use crate::refs::{self, Door, Gate, Push, RefChange, Refusal, Signature, Watch};
use crate::target::RepositoryTarget;

/// What cannot be done any more, and why.
enum Outcome {
    Done,
    Void(String),
}

/// Makes the ref changes of an approval in the transaction that says it was used; or writes that they cannot be made.
pub(super) async fn refs(
    ctx: &RequestContext,
    approval: &Approval,
    comment: Option<&str>,
    has_looked_elsewhere: bool,
) -> Result<()> {
    let repository = approval.repository_id.ok_or_else(Error::not_found)?;
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, RepositoryTarget::Id(repository), Action::CodePush).await?;
    drop(conn);
    let outcome = match requester(ctx, approval).await? {
        Err(reason) => Outcome::Void(reason),
        Ok(asker) => {
            let changes = inspect(&asker, &found, approval).await?;
            require_own_right(ctx, &found, &changes, &signature(approval))?;
            look::require_looked(ctx, &approval.id, has_looked_elsewhere).await?;
            make(ctx, &asker, (approval, repository), &changes, comment).await?
        }
    };
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Void(reason) => give_up(ctx, approval, comment, &reason).await,
    }
}

/// Returns why what waits can no longer be done, as far as that is known before it is tried. Leaves no trace, and is no
/// promise.
pub(super) async fn obstacle(ctx: &RequestContext, approval: &Approval) -> Result<Option<String>> {
    let asker = match requester(ctx, approval).await? {
        Ok(asker) => asker,
        Err(reason) => return Ok(Some(reason)),
    };
    match &approval.asked {
        Asked::Refs { refs } => of_refs(&asker, approval, refs).await,
        Asked::Request { action, .. } => super::repeat::obstacle(&asker, approval, *action).await,
    }
}

async fn of_refs(asker: &RequestContext, approval: &Approval, held: &[HeldChange]) -> Result<Option<String>> {
    let repository = approval.repository_id.ok_or_else(Error::not_found)?;
    let mut conn = asker.read().await?;
    let found = match asker.authorize(&mut conn, RepositoryTarget::Id(repository), Action::CodePush).await {
        Ok(found) => found,
        Err(error) => return reason_of(error),
    };
    for one in held {
        let present = forge_store::refs::find(&mut conn, repository, &one.name).await?;
        let present = present.map(|present| present.object_id);
        if present != one.old {
            let now = present.map_or_else(|| "is gone".to_owned(), |id| format!("is at {} now", id.short()));
            return Ok(Some(format!("`{}` {now}: somebody moved it meanwhile", one.name)));
        }
    }
    drop(conn);
    let Ok(changes) = inspect(asker, &found, approval).await else {
        return Ok(Some("what it brings cannot be read any more".to_owned()));
    };
    let mut gate = Gate::new(asker, &found, signature(approval).fact());
    Ok(changes.iter().find_map(|change| match gate.check(change.name(), change.step(), change.touched()) {
        Err(Refusal::Never(reason)) => Some(reason),
        Ok(()) | Err(Refusal::Waits(_)) => None,
    }))
}

/// Returns why whoever asked may no longer do this; a fault is one.
pub(super) fn reason_of(error: Error) -> Result<Option<String>> {
    match void(error)? {
        Outcome::Void(reason) => Ok(Some(reason)),
        Outcome::Done => Ok(None),
    }
}

/// Returns the context of whoever asked, as of now; or why there is none.
async fn requester(ctx: &RequestContext, approval: &Approval) -> Result<Result<RequestContext, String>> {
    let mut conn = ctx.read().await?;
    let found = forge_store::credentials::find_with_bearer(&mut conn, approval.credential_id).await?;
    let Some(found) = found.filter(|found| is_unrevoked(found, ctx.now())) else {
        return Ok(Err("what it was asked with has ended since".to_owned()));
    };
    Ok(Ok(ctx.approving(authenticate::caller_of(found))))
}

async fn inspect(
    asker: &RequestContext,
    found: &RepositoryAccess,
    approval: &Approval,
) -> Result<Vec<RefChange>> {
    let watch = Watch::of(asker, found).await?;
    let directory = asker.app().git.repository(found.repository.id);
    let held: Vec<HeldChange> = approval.asked.refs().to_vec();
    let inspect = move || {
        let mut objects = Objects::open(&directory).map_err(fault)?;
        let inspect = |one: HeldChange| {
            RefChange::inspect(&mut objects, &watch, one.name, one.old, one.new).map_err(Error::internal)
        };
        held.into_iter().map(inspect).collect()
    };
    tokio::task::spawn_blocking(inspect).await.map_err(Error::internal)?
}

/// Nobody approves what they could not do.
fn require_own_right(
    ctx: &RequestContext,
    found: &RepositoryAccess,
    changes: &[RefChange],
    signature: &Signature,
) -> Result<()> {
    let mut gate = Gate::new(ctx, found, signature.fact());
    for change in changes {
        if let Err(Refusal::Never(reason)) = gate.check(change.name(), change.step(), change.touched()) {
            let message = format!("you could not do this yourself, so you cannot approve it: {reason}");
            return Err(Error::forbidden(message));
        }
    }
    Ok(())
}

/// What is carried out is signed if what was asked for was.
fn signature(approval: &Approval) -> Signature {
    if approval.asked.refs().iter().all(|change| change.signed) { Signature::Before } else { Signature::None }
}

async fn make(
    ctx: &RequestContext,
    asker: &RequestContext,
    (approval, repository): (&Approval, RepositoryId),
    changes: &[RefChange],
    comment: Option<&str>,
) -> Result<Outcome> {
    let mut tx = ctx.begin().await?;
    let held = hold_pending(ctx, &mut tx, &approval.id).await?;
    let target = RepositoryTarget::Id(repository);
    let found = match asker.authorize(&mut tx, target, Action::CodePush).await {
        Ok(found) => found,
        Err(error) => return void(error),
    };
    let push = Push {
        approval: Some(approval.id.clone()),
        signature: signature(approval),
        ..Push::by(Door::Approve)
    };
    let outcome = refs::update(asker, &mut tx, &found, &push, changes).await?;
    if !outcome.is_applied {
        return Ok(Outcome::Void(first_reason(outcome)));
    }
    settle(ctx, &mut tx, &held, ApprovalState::Consumed, comment, None).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// What whoever asked may no longer do is over; a fault is one, and it can be decided again.
fn void(error: Error) -> Result<Outcome> {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::Forbidden
        | ErrorKind::Unauthenticated
        | ErrorKind::InsufficientScope(_) => {
            Ok(Outcome::Void(format!("whoever asked may no longer do this: {}", error.message())))
        }
        _ => Err(error),
    }
}

fn first_reason(outcome: refs::Outcome) -> String {
    let refused =
        outcome.results.into_iter().filter_map(Result::err).find(|reason| reason != refs::ATOMIC_FAILURE);
    outcome
        .denial
        .map(|denied| denied.reason)
        .or(refused)
        .unwrap_or_else(|| "the refs did not move".to_owned())
}

async fn give_up(
    ctx: &RequestContext,
    approval: &Approval,
    comment: Option<&str>,
    reason: &str,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let held = hold_pending(ctx, &mut tx, &approval.id).await?;
    settle(ctx, &mut tx, &held, ApprovalState::Failed, comment, Some(reason)).await?;
    Ok(tx.commit().await?)
}

impl RequestContext {
    /// Returns the context in which the forge does what a human has approved just now, as the caller who asked for it.
    fn approving(&self, mut caller: crate::context::Caller) -> Self {
        if let Subject::Principal(principal) = &mut caller.subject
            && let Means::Credential(credential) = &mut principal.means
        {
            credential.is_approved = true;
        }
        let info = crate::context::RequestInfo { ip: None, user_agent: None, ..self.info().clone() };
        self.derived(caller, info)
    }
}
