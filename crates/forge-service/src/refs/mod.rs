//! The ref gate: the only writer of refs, whatever the door.
//!
//! A door (push, REST, merge, the first commit of a new repository) makes objects durable, lets [`RefChange::inspect`] find
//! the facts about each change, and calls [`update`] in a transaction. There each change is decided about, refs move by
//! compare-and-swap, and reflog, push row, audit event and the repository's counters change with them or not at all.
//! INVARIANT: a fact holds for exactly the (old, new) it was found for; a ref that is no longer at `old` does not move.

mod apply;
mod change;
mod denied;
mod door;
mod gate;
mod hold;
mod pull;
mod signature;
mod watch;

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use forge_auth::policy::organization_of;
use forge_git::PackInfo;
use forge_store::pushes::{NewPush, NewReflogEntry, PackContent};
use forge_store::{Tx, pushes, refs as store};
use forge_types::approval::ApprovalNote;
use forge_types::id::ApprovalId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, Event, Result};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::context::RequestContext;
use crate::target::Facts as _;
use crate::{git, kill_switches};

pub use change::RefChange;
pub use denied::Denied;
pub use door::Door;
pub(crate) use gate::{Gate, Refusal, Step, action, check_for_everyone, ref_resource};
pub(crate) use hold::{make_room, release, take};
pub use pull::{PullRef, update_pull};
pub use signature::Signature;
pub(crate) use signature::{REPLAYED, UNKNOWN_KEY};
pub use watch::Watch;

use hold::{Hold, Waiting};

/// How many refs an audit event names one by one; the digest in it covers all.
const NAMED_IN_AUDIT: usize = 50;

/// Why a good change is refused that comes with a bad one, in the words of git.
pub(crate) const ATOMIC_FAILURE: &str = "atomic push failure";

/// What the ref changes of one request have in common.
#[derive(Clone, Debug)]
pub struct Push {
    /// Which door they come by.
    pub door: Door,
    /// The pack that came with them, already durable.
    pub pack: Option<PackInfo>,
    /// Push options.
    pub options: Vec<String>,
    /// The approval they waited for.
    pub approval: Option<ApprovalId>,
    /// Do all refs change or none?
    pub is_atomic: bool,
    /// For objects that may build on some which no ref reached: how many rebuilds the repository had counted before that was
    /// checked.
    pub rebuilds_at_check: Option<i64>,
    /// What the push is signed with.
    pub signature: Signature,
}

impl Push {
    /// Returns a push of one door without pack or options, all or nothing.
    #[must_use]
    pub const fn by(door: Door) -> Self {
        Self {
            door,
            pack: None,
            options: Vec::new(),
            approval: None,
            is_atomic: true,
            rebuilds_at_check: None,
            signature: Signature::None,
        }
    }
}

/// What became of the changes.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// For each change, in order, nothing or why it was refused.
    pub results: Vec<Result<(), String>>,
    /// Did any ref change, or does anything wait? If not, the transaction is to be dropped: it holds nothing worth keeping.
    pub is_applied: bool,
    /// Why the first change was denied that the caller may not make, whatever state the ref is in.
    pub denial: Option<Denied>,
    /// What waits for a human: the changes whose results say so.
    pub held: Option<ApprovalNote>,
    /// Set if nothing was even tried, because the objects were checked before maintenance sorted them anew and may have lost
    /// some that no ref reached: check again, and say that it was done after so many rebuilds.
    pub rebuilds_now: Option<i64>,
}

impl Outcome {
    /// Returns the reason of the first refusal as an error, for doors that change one ref.
    ///
    /// # Errors
    /// `Forbidden` or `Withheld` with that reason if the caller may not do this, `ApprovalRequired` if it waits, else `Invalid`.
    pub fn into_result(self) -> Result<()> {
        if let Some(denial) = self.denial {
            return Err(denial.into());
        }
        if let Some(note) = self.held {
            return Err(Error::approval_required(note));
        }
        match self.results.into_iter().find_map(Result::err) {
            Some(reason) => Err(Error::unprocessable(reason)),
            None => Ok(()),
        }
    }
}

/// Changes refs of a repository that was loaded in this transaction.
///
/// # Errors
/// `NotFound` if the repository is gone, `Unauthenticated` when anonymous, `Unavailable` if the database is. That a change is
/// refused is no error: see [`Outcome`].
pub async fn update(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &RepositoryAccess,
    push: &Push,
    changes: &[RefChange],
) -> Result<Outcome> {
    let repository = &found.repository;
    let loses_history = changes.iter().any(RefChange::loses_visible_history);
    let locked = store::lock(tx, repository.id, loses_history).await?.ok_or_else(Error::not_found)?;
    if push.rebuilds_at_check.is_some_and(|rebuilds| rebuilds != locked.rebuilds) {
        let results = changes.iter().map(|_| Err("objects may have gone".to_owned())).collect();
        let rebuilds_now = Some(locked.rebuilds);
        return Ok(Outcome { results, is_applied: false, denial: None, held: None, rebuilds_now });
    }
    ctx.app().policies.hold(tx).await?;
    ctx.look_at_groups(tx, organization_of(&found.resource(ctx))).await?;
    let rewrites_before = locked.rewrites - i64::from(loses_history);
    let Ruling { mut results, mut denial, waiting } = decide(ctx, found, push, changes, rewrites_before);
    if ctx.waits_for_outside() {
        return Ok(denied(changes, "this waits for a decision from outside".to_owned()));
    }
    if !ctx.still_stands(tx).await? {
        return Ok(denied(changes, "the credential no longer stands".to_owned()));
    }
    if let Some(reason) = kill_switches::stopped(ctx, tx, found).await? {
        return Ok(denied(changes, reason));
    }
    if push.is_atomic && waiting.is_none() && results.iter().any(Result::is_err) {
        return Ok(nothing(results, denial));
    }
    if let Err(reason) = push.signature.check(ctx, tx, repository.id).await? {
        return Ok(denied(changes, reason));
    }
    if let Err(reason) = spend(ctx, tx, push).await? {
        return Ok(denied(changes, reason));
    }
    // Only a branch that is created can be the first.
    let creates_branch = changes.iter().any(RefChange::creates_branch);
    let had_branches = !creates_branch || store::find_any_branch(tx, repository.id).await?.is_some();
    apply::apply(tx, repository.id, changes, &mut results, ctx.now()).await?;
    if push.is_atomic && waiting.is_none() && results.iter().any(Result::is_err) {
        return Ok(nothing(results, denial));
    }
    let hold = match &waiting {
        Some(waiting) => Some(waiting.hold(ctx, tx, found, push, changes).await?),
        None => None,
    };
    if let (Some(waiting), Some(hold)) = (&waiting, &hold) {
        denial = denial.or_else(|| told(&mut results, waiting, hold).map(Denied::from));
    }
    let held = hold.as_ref().and_then(Hold::note).cloned();
    let changed: Vec<&RefChange> =
        changes.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(change, _)| change).collect();
    if changed.is_empty() && !matches!(hold, Some(Hold::New(_))) {
        return Ok(Outcome { held, ..nothing(results, denial) });
    }
    if changed.is_empty() {
        hold::keep_pack(ctx, tx, repository.id, push.pack.as_ref()).await?;
    } else {
        if !had_branches {
            adopt_first_branch(tx, found, &changed).await?;
        }
        record(ctx, tx, found, push, &changed).await?;
    }
    let came = push.pack.as_ref().map_or(0, |pack| pack.object_count);
    let change = git::Change { generation: locked.ref_generation, came, loses_history };
    git::ask_for_maintenance(tx, repository.id, change, ctx.now()).await?;
    Ok(Outcome { results, is_applied: true, denial, held, rebuilds_now: None })
}

/// Says of the changes that are to wait what became of them; returns why, if they are refused after all.
fn told(results: &mut [Result<(), String>], waiting: &Waiting, hold: &Hold) -> Option<String> {
    let (reason, denial) = match hold {
        Hold::New(note) | Hold::Known(note) => (note.held(), None),
        Hold::Refused(reason) => (reason.clone(), Some(reason.clone())),
    };
    for at in waiting.places() {
        results[*at] = Err(reason.clone());
    }
    denial
}

/// What was decided about the changes of a request.
struct Ruling {
    /// For each change nothing or why it is not made now.
    results: Vec<Result<(), String>>,
    /// The first refusal that is about the caller.
    denial: Option<Denied>,
    /// What is to wait for a human.
    waiting: Option<Waiting>,
}

/// Decides about each change before any of them is made.
fn decide(
    ctx: &RequestContext,
    found: &RepositoryAccess,
    push: &Push,
    changes: &[RefChange],
    rewrites: i64,
) -> Ruling {
    let mut gate = Gate::new(ctx, found, push.signature.fact()).by(push.door);
    let mut times: HashMap<&str, usize> = HashMap::new();
    for change in changes {
        *times.entry(change.name().as_str()).or_default() += 1;
    }
    let decide = |change: &RefChange| {
        if times.get(change.name().as_str()).is_some_and(|times| *times > 1) {
            return Err(Refusal::never("the same ref is changed twice"));
        }
        if change.looked_at().is_some_and(|looked_at| looked_at != rewrites) {
            return Err(Refusal::never("the repository lost history meanwhile, push again"));
        }
        gate.check(change.name(), change.step(), change.touched())
    };
    let verdicts: Vec<Result<(), Refusal>> = changes.iter().map(decide).collect();
    let mut denial = gate.into_denial();
    let mut waiting = hold::waiting(push, &verdicts);
    if let Some(at_no_door) = waiting.take_if(|_| !push.door.lets_wait()) {
        let waits = at_no_door.waits();
        ctx.note_refusal(waits.action, &waits.denial, found);
        denial
            .get_or_insert_with(|| format!("{}, and this way nothing can wait", waits.denial.message).into());
    }
    let mut results: Vec<Result<(), String>> = verdicts.into_iter().map(told_alone).collect();
    // With `atomic` all wait with the one that has to.
    for at in waiting.iter().flat_map(Waiting::places) {
        results[*at] = Err(String::new());
    }
    Ruling { results, denial, waiting }
}

fn told_alone(verdict: Result<(), Refusal>) -> Result<(), String> {
    verdict.map_err(|refusal| match refusal {
        Refusal::Never(reason) => reason,
        Refusal::Waits(waits) => waits.denial.message,
    })
}

/// Refuses all changes for one reason that has nothing to do with the refs.
fn denied(changes: &[RefChange], reason: String) -> Outcome {
    let results = vec![Err(reason.clone()); changes.len()];
    Outcome { results, is_applied: false, denial: Some(reason.into()), held: None, rebuilds_now: None }
}

/// Counts the push under every grant it is made under; the refusal is for the client.
async fn spend(ctx: &RequestContext, tx: &mut Tx, push: &Push) -> Result<Result<(), String>> {
    if push.approval.is_some() {
        // It was counted when it was asked for.
        return Ok(Ok(()));
    }
    let bytes = push.pack.as_ref().map_or(0, |pack| i64::try_from(pack.size_bytes).unwrap_or(i64::MAX));
    for grant in ctx.grants() {
        if !forge_store::grants::count_push(tx, &grant.id, &grant.terms, bytes, ctx.now()).await? {
            return Ok(Err(format!("the budget is used up; grant {} allows no more", grant.id)));
        }
    }
    Ok(Ok(()))
}

fn nothing(results: Vec<Result<(), String>>, denial: Option<Denied>) -> Outcome {
    let because_of_others = |result: Result<(), String>| result.and_then(|()| Err(ATOMIC_FAILURE.to_owned()));
    Outcome {
        results: results.into_iter().map(because_of_others).collect(),
        is_applied: false,
        denial,
        held: None,
        rebuilds_now: None,
    }
}

/// The first branch pushed to a repository without branches becomes the default one, unless that one came with it.
async fn adopt_first_branch(tx: &mut Tx, found: &RepositoryAccess, changed: &[&RefChange]) -> Result<()> {
    let default = &found.repository.default_branch;
    let mut created: Vec<&str> = changed
        .iter()
        .filter(|change| change.new_id().is_some())
        .filter_map(|change| change.name().branch_name())
        .collect();
    created.sort_unstable();
    if let Some(first) = created.first()
        && !created.contains(&default.as_str())
    {
        pushes::adopt_default_branch(tx, found.repository.id, default, first).await?;
    }
    Ok(())
}

/// Writes the push, its reflog and its audit event; of the operator's doing the event alone.
async fn record(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &RepositoryAccess,
    push: &Push,
    changed: &[&RefChange],
) -> Result<()> {
    let door = push.door.seen_from(ctx.info().surface);
    if ctx.is_operator() {
        // The operator has no account to push with; that it was the operator stands in the audit log.
        return ctx.record(tx, event(found, push, &door, None, changed)).await;
    }
    let options = json!(push.options).to_string();
    let caller = ctx.caller();
    let new = NewPush {
        repository_id: found.repository.id,
        actor_id: ctx.account()?.id,
        acting_id: caller.acting.as_ref().map(|human| human.id),
        credential_id: caller.credential.as_ref().map(|credential| credential.id),
        door: &door,
        pack: push.pack.as_ref().map(|pack| git::pack_row(pack, PackContent::Any)),
        options: &options,
        request_id: &ctx.info().id.0,
    };
    let entries: Vec<NewReflogEntry<'_>> = changed
        .iter()
        .map(|change| NewReflogEntry {
            ref_name: change.name(),
            old: change.old_id(),
            new: change.new_id(),
            is_forced: change.is_forced(),
        })
        .collect();
    let id = pushes::insert(tx, &new, ctx.now()).await?;
    pushes::insert_reflog(tx, id, &new, &entries, ctx.now()).await?;
    push.signature.record(tx, found.repository.id, id).await?;
    ctx.record(tx, event(found, push, &door, Some(id.0), changed)).await
}

fn event(
    found: &RepositoryAccess,
    push: &Push,
    door: &str,
    push_id: Option<i64>,
    changed: &[&RefChange],
) -> Event {
    let mut digest = Sha256::new();
    for change in changed {
        digest.update(change.line());
    }
    let named: Vec<_> = changed
        .iter()
        .take(NAMED_IN_AUDIT)
        .map(|change| {
            json!({
                "ref": change.name().as_str(),
                "old": change.old_id(),
                "new": change.new_id(),
                "forced": change.is_forced(),
            })
        })
        .collect();
    let digest = HEXLOWER.encode(&digest.finalize());
    let event = Event::new("refs.updated")
        .about(&found.repository)
        .with("push_id", push_id)
        .with("door", door)
        .with("count", changed.len())
        .causing(json!({ "refs": named }))
        .with("refs_sha256", digest);
    let event = match push.signature.signed_by() {
        Some(key) => event.with("signed_by", key),
        None => event,
    };
    match &push.approval {
        Some(id) => event.with("approval_id", id.0.as_str()),
        None => event,
    }
}
