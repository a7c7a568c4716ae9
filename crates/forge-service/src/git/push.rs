//! Push. Parse, refuse early what can be, take the pack in, move the refs, report.
//!
//! INVARIANT: the pack is durable before the transaction begins. If no ref moved, the pack goes away again; if it is not
//! known whether the commit happened, it stays.

use std::collections::HashSet;

use bytes::Bytes;
use forge_git::objects::Objects;
use forge_git::receive::{Command, CommandStatus, Quarantine, Reply, Request, Unpack, drain, report_status};
use forge_git::{PackInfo, Repository, crash};
use forge_store::Tx;
use forge_types::approval::ApprovalNote;
use forge_types::id::RepositoryId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectFormat, ObjectId, Result};
use tokio::io::AsyncRead;
use tokio::sync::mpsc;

use super::certificate;
use super::fault::{fault, in_time, told};
use super::held;
use super::settle::{Fate, settle};
use super::shares::Share;
use crate::context::RequestContext;
use crate::kill_switches;
use crate::refs::{self, ATOMIC_FAILURE, Door, Gate, Outcome, Push, RefChange, Signature, Step, Watch};
use crate::secrets;
use crate::target::RepositoryTarget;

/// Bytes beyond the pack limit that are read and forgotten, so that a refused client reads its answer.
const DRAIN_EXTRA: u64 = 1 << 20;

/// The answer to a push, as it comes.
#[derive(Debug)]
pub struct PushAnswer {
    body: Option<mpsc::Receiver<Bytes>>,
}

impl From<mpsc::Receiver<Bytes>> for PushAnswer {
    fn from(body: mpsc::Receiver<Bytes>) -> Self {
        Self { body: Some(body) }
    }
}

impl PushAnswer {
    /// Returns the next bytes, `None` at the end. The first come only after the request was read whole.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.body.as_mut()?.recv().await
    }
}

/// Takes a push. Returns once its commands are read; the rest happens in a task that outlives the caller. The body is expected
/// decoded.
///
/// # Errors
/// What the decision about pushing to the repository says; `Malformed` or `TooLarge` if the commands cannot be read. What is
/// wrong with the pack or with single refs is part of the answer, in the words of the protocol.
pub async fn receive_pack(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    mut body: impl AsyncRead + Unpin + Send + 'static,
) -> Result<PushAnswer> {
    let found = may_push(ctx, target).await?;
    let limits = ctx.app().git.limits;
    let begun = async {
        let read = Request::read(&mut body, ObjectFormat::Sha1, &limits.push);
        let request = in_time(limits.processes.stall, read).await.map_err(fault)?;
        let signature = certificate::check(ctx, &found, request.certificate.as_ref()).await?;
        let share = ctx.app().git.pushes.take(ctx).await?;
        Ok::<_, Error>((request, signature, share))
    };
    let (request, signature, share) = match begun.await {
        Ok((request, ..)) if request.commands.is_empty() => return Ok(PushAnswer { body: None }),
        Ok(begun) => begun,
        Err(error) => {
            drain(&mut body, limits.pack.pack_bytes).await;
            return Err(error);
        }
    };
    let (reply, answer) = Reply::channel(&request.capabilities);
    let repository = ctx.app().git.repository(found.repository.id);
    let work = Work { ctx: ctx.clone(), repository, found, request, signature };
    tokio::spawn(work.run(body, reply, share));
    Ok(answer.into())
}

async fn may_push(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<RepositoryAccess> {
    let mut tries = ctx.tries();
    loop {
        let found = ctx.authorize(&mut ctx.read().await?, target, Action::CodePush).await;
        if !tries.again().await {
            return found;
        }
    }
}

struct Work {
    ctx: RequestContext,
    found: RepositoryAccess,
    repository: Repository,
    request: Request,
    signature: Signature,
}

/// What became of a push: of the pack, and of each command.
struct Verdict {
    unpack: Unpack,
    results: Vec<Result<(), String>>,
    held: Option<ApprovalNote>,
}

impl Work {
    /// The share in what the forge does at a time is given back before the client waits for a human.
    async fn run(self, mut body: impl AsyncRead + Unpin, reply: Reply, share: Share) {
        let mut verdict = self.receive(&mut body, &reply).await;
        drop(share);
        drain(&mut body, self.ctx.app().git.limits.pack.pack_bytes + DRAIN_EXTRA).await;
        if let Err(error) = self.ctx.finish().await {
            tracing::error!(%error, "refusals of a push were not recorded");
        }
        if let Some(note) = verdict.held.take() {
            reply.message(&held::message(&note)).await;
            self.wait(&note, &mut verdict, &reply).await;
        }
        reply.message(&self.message(&verdict)).await;
        let report = self.report(&verdict);
        reply.finish(&report).await;
    }

    /// Stays on the line, if the client wants that, and has the verdict say what became of what waits.
    async fn wait(&self, note: &ApprovalNote, verdict: &mut Verdict, reply: &Reply) {
        let patience = held::patience(&self.request.push_options).unwrap_or_default();
        let Some(approval) = held::wait(&self.ctx, note, patience, reply).await else { return };
        let state = approval.state(self.ctx.now());
        let waits = note.held();
        for result in
            verdict.results.iter_mut().filter(|result| result.as_ref().is_err_and(|reason| *reason == waits))
        {
            *result = held::result(&approval, state);
        }
    }

    /// Returns what a person is told beside the report: why the whole or single refs are refused.
    fn message(&self, verdict: &Verdict) -> String {
        if let Unpack::Failed(reason) = &verdict.unpack {
            return format!("forge: the push is refused: {reason}\n");
        }
        let refused = self.request.commands.iter().zip(&verdict.results).filter_map(|(command, result)| {
            let is_told = |reason: &&String| *reason != ATOMIC_FAILURE && !held::is_held(reason);
            let reason = result.as_ref().err().filter(is_told)?;
            Some(format!("forge: {} is refused: {reason}\n", String::from_utf8_lossy(&command.raw_name)))
        });
        refused.take(SPOKEN).collect()
    }

    fn report(&self, verdict: &Verdict) -> Vec<u8> {
        let capabilities = &self.request.capabilities;
        if !capabilities.report_status && !capabilities.report_status_v2 {
            return Vec::new();
        }
        let status = |result: &Result<(), String>| match result {
            Ok(()) => CommandStatus::Ok,
            Err(reason) => CommandStatus::Refused(short(reason).to_owned()),
        };
        let statuses: Vec<CommandStatus> = verdict.results.iter().map(status).collect();
        let names = self.request.commands.iter().map(|command| command.raw_name.as_slice());
        report_status(capabilities.report_status_v2, &verdict.unpack, names.zip(&statuses))
    }

    async fn receive(&self, body: &mut (impl AsyncRead + Unpin), reply: &Reply) -> Verdict {
        let mut results = self.refuse_early().await;
        if self.is_lost(&results) {
            return Verdict { unpack: Unpack::Ok, results: self.settled(results), held: None };
        }
        match self.take_in(body, reply, &mut results).await {
            Ok(held) => Verdict { unpack: Unpack::Ok, results: self.settled(results), held },
            Err(reason) => {
                let failed =
                    |result: Result<(), String>| result.and_then(|()| Err("unpacker error".to_owned()));
                let results = results.into_iter().map(failed).collect();
                Verdict { unpack: Unpack::Failed(reason), results, held: None }
            }
        }
    }

    /// Refuses what needs no objects to be refused.
    async fn refuse_early(&self) -> Vec<Result<(), String>> {
        let mut tries = self.ctx.tries();
        loop {
            let results = self.check_early();
            if !tries.again().await {
                return results;
            }
        }
    }

    fn check_early(&self) -> Vec<Result<(), String>> {
        if let Err(reason) = held::patience(&self.request.push_options) {
            return vec![Err(reason); self.request.commands.len()];
        }
        let mut gate = Gate::new(&self.ctx, &self.found, self.signature.fact());
        let check = |command: &Command| {
            let name = command.name.as_ref().map_err(ToString::to_string)?;
            // Whether it is forced is known only with the objects; the gate asks again.
            let step = match (command.old.is_null(), command.new.is_null()) {
                (_, true) => Step::Delete,
                (true, false) => Step::Create,
                (false, false) => Step::Update,
            };
            gate.check_early(name, step)
        };
        self.request.commands.iter().map(check).collect()
    }

    /// Is there nothing left to do?
    fn is_lost(&self, results: &[Result<(), String>]) -> bool {
        let is_atomic = self.request.capabilities.atomic;
        results.iter().all(Result::is_err) || (is_atomic && results.iter().any(Result::is_err))
    }

    /// With `atomic`, one refusal refuses the rest.
    fn settled(&self, results: Vec<Result<(), String>>) -> Vec<Result<(), String>> {
        if !self.request.capabilities.atomic || results.iter().all(Result::is_ok) {
            return results;
        }
        let settle = |result: Result<(), String>| result.and_then(|()| Err(ATOMIC_FAILURE.to_owned()));
        results.into_iter().map(settle).collect()
    }

    /// Takes the pack in and moves the refs, or has them wait. An error is the reason why the pack as a whole is refused.
    async fn take_in(
        &self,
        body: &mut (impl AsyncRead + Unpin),
        reply: &Reply,
        results: &mut [Result<(), String>],
    ) -> Result<Option<ApprovalNote>, String> {
        let git = &self.ctx.app().git;
        let mut quarantine = self.quarantine().await?;
        crash::point("push/begun");
        if self.request.has_pack() {
            let ingest = quarantine.ingest(&git.processes, body, &git.limits.pack, reply);
            // Nothing is shared yet, so it can be left where it is.
            tokio::select! {
                ingested = ingest => ingested.map_err(|error| told(&error))?,
                reason = kill_switches::until_stopped(&self.ctx, &self.found) => return Err(reason),
            };
            let new = self.request.commands.iter().filter(|command| !command.is_delete());
            let tips: Vec<ObjectId> = new.map(|command| command.new).collect();
            let sizes = quarantine.check_sizes(&git.processes, &tips, git.limits.pack.file_bytes);
            sizes.await.map_err(|error| told(&error))?;
        }
        crash::point("push/indexed");
        if !self.is_plainly_connected(&quarantine, results).await? {
            let current = self.current_ids().await.map_err(|error| reason(&error))?;
            self.check_connectivity(&quarantine, &current, results).await?;
        }
        let checked = secrets::check(&self.ctx, self.found.repository.id, quarantine).await;
        let quarantine = checked.map_err(|error| reason(&error))??;
        let (quarantine, changes) = self.inspect(quarantine, results).await?;
        if changes.iter().all(Option::is_none) || self.is_lost(results) {
            return Ok(None);
        }
        let pack = quarantine.publish().await.map_err(|error| told(&error))?;
        Ok(self.move_refs(pack, changes, results).await)
    }

    async fn quarantine(&self) -> Result<Quarantine, String> {
        let state = self.ctx.app().git.state(&self.found).map_err(|error| reason(&error))?;
        let packs = state.packs(&self.ctx).await.map_err(|error| reason(&error))?.clone();
        let unique = self.ctx.app().random_number();
        let opened = tokio::task::spawn_blocking(move || Quarantine::open(&packs, unique)).await;
        opened.map_err(|error| reason(&Error::internal(error)))?.map_err(|error| told(&error))
    }

    /// Does a small push build on refs alone? Then the others need not be read.
    async fn is_plainly_connected(
        &self,
        quarantine: &Quarantine,
        results: &[Result<(), String>],
    ) -> Result<bool, String> {
        let commands = self.request.commands.iter().zip(results);
        let wanted = commands.filter(|(command, result)| result.is_ok() && !command.is_delete());
        let tips: Vec<ObjectId> = wanted.map(|(command, _)| command.new).collect();
        let Some(foundation) = quarantine.foundation(&tips).filter(|ids| ids.len() <= LOOKED_UP) else {
            return Ok(false);
        };
        let vouched = self.tips_among(&foundation).await.map_err(|error| reason(&error))?;
        quarantine.is_plainly_connected(&tips, vouched).await.map_err(|error| told(&error))
    }

    async fn tips_among(&self, ids: &[ObjectId]) -> Result<HashSet<ObjectId>> {
        let mut conn = self.ctx.read().await?;
        let found = forge_store::refs::list_tips_among(&mut conn, self.found.repository.id, ids).await?;
        Ok(found.into_iter().collect())
    }

    async fn current_ids(&self) -> Result<HashSet<ObjectId>> {
        let ids =
            forge_store::refs::list_object_ids(&mut self.ctx.read().await?, self.found.repository.id).await?;
        Ok(ids.into_iter().collect())
    }

    /// Refuses the refs whose history is not whole: all at once if it can be told at once, else one by one.
    async fn check_connectivity(
        &self,
        quarantine: &Quarantine,
        current: &HashSet<ObjectId>,
        results: &mut [Result<(), String>],
    ) -> Result<(), String> {
        let processes = &self.ctx.app().git.processes;
        let check = async |tips: &[ObjectId]| match quarantine
            .check_connectivity(processes, tips, current.iter().copied())
            .await
        {
            Ok(()) => Ok(true),
            Err(forge_git::Error::BadPack(_)) => Ok(false),
            Err(error) => Err(told(&error)),
        };
        let is_new = |command: &&Command| !command.is_delete() && !current.contains(&command.new);
        let wanted = |results: &[Result<(), String>]| -> Vec<usize> {
            let commands = self.request.commands.iter().enumerate();
            commands
                .filter(|(at, command)| results[*at].is_ok() && is_new(command))
                .map(|(at, _)| at)
                .collect()
        };
        let wanted = wanted(results);
        let tips: Vec<ObjectId> = wanted.iter().map(|at| self.request.commands[*at].new).collect();
        if tips.is_empty() || check(&tips).await? {
            return Ok(());
        }
        for at in &wanted {
            let is_alone = wanted.len() == 1;
            if is_alone || wanted.len() > CHECKED_ALONE || !check(&[self.request.commands[*at].new]).await? {
                results[*at] = Err("missing necessary objects".to_owned());
            }
        }
        Ok(())
    }

    /// Finds the facts about each change that is left.
    async fn inspect(
        &self,
        quarantine: Quarantine,
        results: &mut [Result<(), String>],
    ) -> Result<(Quarantine, Vec<Option<RefChange>>), String> {
        let wanted: Vec<Option<Command>> = self
            .request
            .commands
            .iter()
            .zip(&*results)
            .map(|(command, result)| result.is_ok().then(|| command.clone()))
            .collect();
        let watch = Watch::of(&self.ctx, &self.found).await.map_err(|error| reason(&error))?;
        let inspect = move || {
            let mut objects = quarantine.objects().map_err(|error| told(&error))?;
            let facts =
                wanted.into_iter().map(|command| command.map(|command| facts(&mut objects, &watch, command)));
            let facts: Vec<_> = facts.collect();
            Ok::<_, String>((quarantine, facts))
        };
        let done = tokio::task::spawn_blocking(inspect).await;
        let (quarantine, facts) = done.map_err(|error| reason(&Error::internal(error)))??;
        let mut changes = Vec::with_capacity(facts.len());
        for (fact, result) in facts.into_iter().zip(results) {
            changes.push(match fact {
                Some(Ok(change)) => Some(change),
                Some(Err(reason)) => {
                    *result = Err(reason);
                    None
                }
                None => None,
            });
        }
        Ok((quarantine, changes))
    }

    /// Moves the refs in one transaction; takes the pack away if none moved and none waits.
    async fn move_refs(
        &self,
        pack: Option<PackInfo>,
        changes: Vec<Option<RefChange>>,
        results: &mut [Result<(), String>],
    ) -> Option<ApprovalNote> {
        let places: Vec<usize> =
            changes.iter().enumerate().filter(|(_, change)| change.is_some()).map(|(at, _)| at).collect();
        let changes: Vec<RefChange> = changes.into_iter().flatten().collect();
        let push = Push {
            door: Door::Push,
            pack: pack.clone(),
            options: self.request.push_options.clone(),
            approval: None,
            is_atomic: self.request.capabilities.atomic,
            rebuilds_at_check: Some(self.found.git_state.rebuilds),
            signature: self.signature.clone(),
        };
        let moved = self.commit_checked(push, &changes).await;
        for (at, result) in places.into_iter().zip(moved.results) {
            results[at] = result;
        }
        if let Some(pack) = pack {
            settle(self.repository.clone(), pack, moved.pack).await;
            crash::point("push/settled");
        }
        moved.held
    }

    /// Returns what became of each change, and whether the pack may be needed. When packs were sorted anew since the objects
    /// were checked, they are checked again.
    async fn commit_checked(&self, mut push: Push, changes: &[RefChange]) -> Moved {
        for _ in 0..CHECKS {
            let moved = self.commit_asked(&push, changes).await;
            let Some(rebuilds) = moved.rebuilds_now else { return moved };
            if let Err(reason) = self.check_again(changes).await {
                return Moved::none(changes, &reason);
            }
            push.rebuilds_at_check = Some(rebuilds);
        }
        Moved::none(changes, "the repository changes too fast, push again")
    }

    /// Is everything still there that the pushed objects need? They are part of the repository already.
    async fn check_again(&self, changes: &[RefChange]) -> Result<(), String> {
        let current = self.current_ids().await.map_err(|error| reason(&error))?;
        let tips: Vec<ObjectId> = changes.iter().filter_map(RefChange::new_id).collect();
        let processes = &self.ctx.app().git.processes;
        self.repository.check_connected(processes, &tips, current).await.map_err(|error| told(&error))
    }

    async fn commit_asked(&self, push: &Push, changes: &[RefChange]) -> Moved {
        let mut tries = self.ctx.tries();
        loop {
            let moved = self.commit(push, changes).await;
            if !tries.again().await {
                return moved;
            }
        }
    }

    async fn commit(&self, push: &Push, changes: &[RefChange]) -> Moved {
        let failed = |error: &Error| Moved::none(changes, &reason(error));
        let mut tx = match self.ctx.begin().await {
            Ok(tx) => tx,
            Err(error) => return failed(&error),
        };
        let outcome = async {
            let id: RepositoryId = self.found.repository.id;
            // What was decided before the pack came is decided again, in the transaction that relies on it.
            let found = self.ctx.authorize(&mut tx, RepositoryTarget::Id(id), Action::CodePush).await?;
            refs::update(&self.ctx, &mut tx, &found, push, changes).await
        };
        match outcome.await {
            Err(error) => failed(&error),
            Ok(outcome) if !outcome.is_applied => {
                let Outcome { results, held, rebuilds_now, .. } = outcome;
                Moved { results, pack: Fate::Unneeded, held, rebuilds_now }
            }
            Ok(outcome) => match committed(tx).await {
                Ok(()) => {
                    let Outcome { results, held, .. } = outcome;
                    Moved { results, pack: Fate::Kept, held, rebuilds_now: None }
                }
                Err(error) => Moved { pack: Fate::Unknown, ..failed(&error) },
            },
        }
    }
}

async fn committed(tx: Tx) -> Result<()> {
    crash::point("push/before-commit");
    tx.commit().await?;
    crash::point("push/after-commit");
    Ok(())
}

/// What became of the changes of a push.
struct Moved {
    results: Vec<Result<(), String>>,
    pack: Fate,
    /// What waits for a human.
    held: Option<ApprovalNote>,
    /// Set if the objects are to be checked again first.
    rebuilds_now: Option<i64>,
}

impl Moved {
    fn none(changes: &[RefChange], reason: &str) -> Self {
        let results = vec![Err(reason.to_owned()); changes.len()];
        Self { results, pack: Fate::Unneeded, held: None, rebuilds_now: None }
    }
}

/// So often the objects of a push are checked, while packs are being sorted anew.
const CHECKS: usize = 3;

/// A push that builds on more commits than this has all refs read.
const LOOKED_UP: usize = 64;

/// So many refusals are told to a person one by one; the report has all.
const SPOKEN: usize = 10;

/// More refs than this are refused together when one of them lacks objects.
const CHECKED_ALONE: usize = 16;

/// Returns the reason without what is said beside it, for the one line that a client has room for.
fn short(reason: &str) -> &str {
    reason.split_once("; grant ").map_or(reason, |(short, _)| short)
}

fn facts(objects: &mut Objects, watch: &Watch, command: Command) -> Result<RefChange, String> {
    let name = command.name.map_err(|error| error.to_string())?;
    RefChange::inspect(objects, watch, name, Some(command.old), Some(command.new))
}

/// Returns what the client is told about an error of the forge.
fn reason(error: &Error) -> String {
    if let Some(cause) = std::error::Error::source(error) {
        tracing::error!(%cause, "a push failed");
    }
    error.message().to_owned()
}
