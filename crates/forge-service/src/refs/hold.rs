//! Ref changes that wait for a human. Their objects are kept by hidden refs, and an approval says what is to happen.
//!
//! INVARIANT: approval, hidden refs and manifest change in the transaction that would have moved the refs. What waits was
//! allowed but for the human, and was as expected, at that moment; when it is made it is decided again.

use forge_auth::policy::Signing;
use forge_git::PackInfo;
use forge_store::Tx;
use forge_store::approvals::{self as store, NewApproval, Turn};
use forge_store::pushes::{self, PackContent};
use forge_store::refs::{self as stored, Creation, Deletion};
use forge_types::approval::{
    Approval, ApprovalNote, ApprovalState, Asked, HeldChange, LIFETIME, MAX_PENDING, MAX_REFS,
};
use forge_types::id::{ApprovalId, RepositoryId};
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, Event, RefName, Result};
use serde_json::json;

use super::gate::{Refusal, Waits};
use super::{Push, RefChange};
use crate::approvals::{Place, digest, note};
use crate::context::{CallerCredential, RequestContext};
use crate::git;

/// Which changes are to wait, and why.
pub(super) struct Waiting {
    places: Vec<usize>,
    waits: Waits,
}

/// What became of changes that are to wait.
pub(super) enum Hold {
    /// They wait, as of now.
    New(ApprovalNote),
    /// The same was asked for before and waits already.
    Known(ApprovalNote),
    /// They are refused.
    Refused(String),
}

impl Hold {
    pub(super) fn note(&self) -> Option<&ApprovalNote> {
        match self {
            Self::New(note) | Self::Known(note) => Some(note),
            Self::Refused(_) => None,
        }
    }
}

/// Returns what is to wait for a human. With `atomic` that is all, or nothing when something is refused anyway.
pub(super) fn waiting(push: &Push, verdicts: &[Result<(), Refusal>]) -> Option<Waiting> {
    let waits = verdicts.iter().find_map(|verdict| match verdict {
        Err(Refusal::Waits(waits)) => Some(waits.clone()),
        Ok(()) | Err(Refusal::Never(_)) => None,
    })?;
    let is_refused = verdicts.iter().any(|verdict| matches!(verdict, Err(Refusal::Never(_))));
    if push.is_atomic && is_refused {
        return None;
    }
    let is_to_wait =
        |verdict: &Result<(), Refusal>| push.is_atomic || matches!(verdict, Err(Refusal::Waits(_)));
    let places = verdicts.iter().enumerate().filter(|(_, verdict)| is_to_wait(verdict));
    Some(Waiting { places: places.map(|(at, _)| at).collect(), waits })
}

impl Waiting {
    /// Returns which of the changes of the request are to wait.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// Returns why they do not just happen, for doors at which nothing waits.
    pub(super) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Makes the changes wait. The repository is locked.
    pub(super) async fn hold(
        &self,
        ctx: &RequestContext,
        tx: &mut Tx,
        found: &RepositoryAccess,
        push: &Push,
        changes: &[RefChange],
    ) -> Result<Hold> {
        let repository = found.repository.id;
        let held: Vec<&RefChange> = self.places.iter().map(|at| &changes[*at]).collect();
        let Some(credential) = ctx.caller().credential.as_ref() else {
            let reason =
                format!("{}, and only what is asked for with a token can wait", self.waits.denial.message);
            return Ok(Hold::Refused(reason));
        };
        if held.len() > MAX_REFS {
            let reason = format!("at most {MAX_REFS} refs can wait for one approval: push fewer at a time");
            return Ok(Hold::Refused(reason));
        }
        if let Some(reason) = stale(tx, repository, &held).await? {
            return Ok(Hold::Refused(reason));
        }
        let signed = push.signature.fact() == Signing::Signed;
        let asked = Asked::Refs { refs: held.iter().map(|change| change.held(signed)).collect() };
        let digest = digest(ctx, credential, Place::of_repository(repository), &asked)?;
        let open = store::list_open_of(tx, ctx.account()?.id, ctx.now()).await?;
        if let Some(same) = open.iter().find(|approval| approval.digest == digest) {
            return Ok(Hold::Known(note(ctx, &same.id, same.expires_at, &same.reason)));
        }
        let (replaced, others) =
            open.into_iter().partition::<Vec<_>, _>(|one| is_replaced(ctx, one, repository, &asked));
        if i64::try_from(others.len()).is_ok_and(|count| count >= MAX_PENDING) {
            let reason = format!(
                "{MAX_PENDING} requests of this account wait for a human already: wait, or take some back"
            );
            return Ok(Hold::Refused(reason));
        }
        let id = ApprovalId(ctx.app().random_id(ApprovalId::PREFIX));
        for one in &replaced {
            let outcome = format!("replaced by {id}");
            end(ctx, tx, one, ApprovalState::Cancelled, &outcome).await?;
        }
        let note = self.insert(ctx, tx, found, (push, credential), &id, &asked, &digest).await?;
        keep_objects(ctx, tx, repository, &id, &held).await?;
        Ok(Hold::New(note))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of the row")]
    async fn insert(
        &self,
        ctx: &RequestContext,
        tx: &mut Tx,
        found: &RepositoryAccess,
        (push, credential): (&Push, &CallerCredential),
        id: &ApprovalId,
        asked: &Asked,
        digest: &str,
    ) -> Result<ApprovalNote> {
        let expires_at = ctx.now().plus(LIFETIME);
        let new = NewApproval {
            id,
            requester: ctx.account()?.id,
            acting: ctx.caller().acting.as_ref().map(|human| human.id),
            credential: credential.id,
            grant: ctx.grant_id(),
            repository: Some(found.repository.id),
            organization: None,
            asked,
            digest,
            rule: &self.waits.denial.rule,
            reason: &self.waits.denial.message,
            expires_at,
        };
        if !make_room(ctx, tx, digest).await? {
            return Err(Error::internal("the same waits already, and was not found"));
        }
        store::insert(tx, &new, ctx.now()).await?;
        let event = Event::new("approval.requested")
            .about(&found.repository)
            .with("approval_id", id.0.as_str())
            .with("action", self.waits.action.as_str())
            .with("rule", self.waits.denial.rule.as_ref())
            .with("digest", digest)
            .with("expires_at", expires_at.to_string())
            .causing(json!({ "held": asked.refs() }));
        let event = match push.signature.signed_by() {
            Some(key) => event.with("signed_by", key),
            None => event,
        };
        ctx.record(tx, event).await?;
        Ok(note(ctx, id, expires_at, &self.waits.denial.message))
    }
}

/// Puts the pack of changes that only wait on the manifest; that of a push is put there with the push.
pub(super) async fn keep_pack(
    ctx: &RequestContext,
    tx: &mut Tx,
    repository: RepositoryId,
    pack: Option<&PackInfo>,
) -> Result<()> {
    if let Some(pack) = pack {
        pushes::adopt_pack(tx, repository, git::pack_row(pack, PackContent::Any), ctx.now()).await?;
    }
    Ok(())
}

/// A later request for the same ref, by the same account under the same grant, takes the place of the former.
fn is_replaced(ctx: &RequestContext, former: &Approval, repository: RepositoryId, asked: &Asked) -> bool {
    let is_about = |name: &RefName| former.asked.refs().iter().any(|held| held.name == *name);
    former.repository_id == Some(repository)
        && former.grant_id.as_ref() == ctx.grant_id()
        && asked.refs().iter().any(|held| is_about(&held.name))
}

/// Nobody is asked about a change that could not be made now.
async fn stale(tx: &mut Tx, repository: RepositoryId, held: &[&RefChange]) -> Result<Option<String>> {
    for change in held {
        let now = stored::find(tx, repository, change.name()).await?.map(|now| now.object_id);
        if now != change.old_id() {
            let reason = match now {
                Some(id) => format!("stale info: the ref is at {} now", id.short()),
                None => "stale info: the ref does not exist".to_owned(),
            };
            return Ok(Some(reason));
        }
    }
    Ok(None)
}

async fn keep_objects(
    ctx: &RequestContext,
    tx: &mut Tx,
    repository: RepositoryId,
    id: &ApprovalId,
    held: &[&RefChange],
) -> Result<()> {
    let names = pin_names(id, held.len())?;
    let pin = |(change, name)| {
        let change: &&RefChange = change;
        Some(Creation { name, new: change.new_id()?, peeled: change.peeled_id() })
    };
    let pins: Vec<Creation<'_>> = held.iter().zip(&names).filter_map(pin).collect();
    let created = stored::create(tx, repository, &pins, ctx.now()).await?;
    match created.len() == pins.len() {
        true => Ok(()),
        false => Err(Error::internal("a new approval found its hidden refs there")),
    }
}

fn pin_names(id: &ApprovalId, count: usize) -> Result<Vec<RefName>> {
    let name = |at| RefName::new(format!("refs/forge/held/{id}/{at}")).map_err(Error::internal);
    (0..count).map(name).collect()
}

/// Lets go of the objects of an approval. The repository is locked.
async fn unpin(tx: &mut Tx, approval: &Approval) -> Result<()> {
    let held: &[HeldChange] = approval.asked.refs();
    let names = pin_names(&approval.id, held.len())?;
    let pin = |(change, name)| {
        let change: &HeldChange = change;
        Some(Deletion { name, old: change.new? })
    };
    let pins: Vec<Deletion<'_>> = held.iter().zip(&names).filter_map(pin).collect();
    if let Some(repository) = approval.repository_id.filter(|_| !pins.is_empty()) {
        stored::delete(tx, repository, &pins).await?;
    }
    Ok(())
}

/// Holds an approval alone until the transaction ends, and returns it as it is then. Of ref changes, the repository comes
/// first, as for whoever changes refs: in another order two could wait for each other.
///
/// # Errors
/// `Unavailable` if the database is.
pub(crate) async fn take(tx: &mut Tx, id: &ApprovalId) -> Result<Option<Approval>> {
    let Some(found) = store::find(tx, id).await? else { return Ok(None) };
    if let (Asked::Refs { .. }, Some(repository)) = (&found.asked, found.repository_id) {
        stored::lock(tx, repository, false).await?;
    }
    Ok(store::hold(tx, id).await?)
}

/// Lets go of the objects that an approval keeps, once it is over. It was taken in this transaction.
///
/// # Errors
/// `Unavailable` if the database is.
pub(crate) async fn release(tx: &mut Tx, approval: &Approval) -> Result<()> {
    unpin(tx, approval).await
}

/// Ends what has the same digest and whose time is over; returns false if it is not. Of ref changes, the repository is locked.
///
/// # Errors
/// `Unavailable` if the database is.
pub(crate) async fn make_room(ctx: &RequestContext, tx: &mut Tx, digest: &str) -> Result<bool> {
    let Some(open) = store::find_open(tx, digest).await? else { return Ok(true) };
    if open.state(ctx.now()) != ApprovalState::Expired {
        return Ok(false);
    }
    end(ctx, tx, &open, ApprovalState::Expired, "nobody decided in time").await?;
    Ok(true)
}

/// Ends an approval that nobody decided about, with its objects and its audit event. The repository is locked.
async fn end(
    ctx: &RequestContext,
    tx: &mut Tx,
    approval: &Approval,
    state: ApprovalState,
    outcome: &str,
) -> Result<()> {
    let turn = Turn { state, decided_by: None, comment: None, outcome: Some(outcome), expires_at: None };
    if store::turn(tx, &approval.id, &turn, ctx.now()).await? {
        unpin(tx, approval).await?;
        ctx.record(tx, crate::approvals::ended(approval, state, Some(outcome))).await?;
    }
    Ok(())
}
