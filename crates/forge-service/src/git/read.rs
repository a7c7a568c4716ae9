//! Clone, fetch and ls-remote.

use bytes::Bytes;
use forge_git::fetch::{Fetch, PackStream, Request, Transport, bundle_uri};
use forge_git::wire::{self, LsRefs, Protocol, Service};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectFormat, Result};
use tokio::io::AsyncRead;

use super::answers::{Answer, Keeping, Question};
use super::certificate;
use super::fault::{fault, in_time, told};
use super::shares::Share;
use super::states::State;
use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// Where the bundle of a repository is, below its address.
const BUNDLE: &str = "info/bundle";

/// The answer to the first request of a client.
#[derive(Debug)]
pub struct Advertisement {
    /// Whom the repository belongs to now.
    pub owner: String,
    /// What it is called now: a client that used a former name is to be sent there.
    pub name: String,
    /// What the server can do and, before version 2, all refs.
    pub body: Vec<u8>,
}

/// The answer to a request for refs or objects.
#[derive(Debug)]
pub enum FetchAnswer {
    /// The whole answer.
    Whole(Bytes),
    /// A pack, as it comes.
    Pack(Box<Pack>),
    /// An answer that was given before.
    Kept(Kept),
}

/// An answer that was given before, and how many of its pieces were taken.
#[derive(Debug)]
pub struct Kept {
    answer: Answer,
    taken: usize,
}

/// A pack on its way to a caller, whose share of all transfers it takes.
#[derive(Debug)]
pub struct Pack {
    stream: PackStream,
    keeping: Option<Keeping>,
    _share: Share,
}

impl Pack {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        let piece = self.stream.next().await;
        self.keeping = match (&piece, self.keeping.take()) {
            (Some(Ok(piece)), Some(mut keeping)) => keeping.collect(piece).then_some(keeping),
            (None, Some(keeping)) => {
                keeping.keep();
                None
            }
            _ => None,
        };
        piece.map(|piece| piece.map_err(fault))
    }
}

impl FetchAnswer {
    fn kept(answer: Answer) -> Self {
        match &answer[..] {
            [whole] => Self::Whole(whole.clone()),
            _ => Self::Kept(Kept { answer, taken: 0 }),
        }
    }

    /// Returns the next bytes, `None` at the end. An error means that the answer must be cut off, not ended.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Self::Pack(pack) => pack.next().await,
            Self::Kept(kept) => {
                kept.taken += 1;
                kept.answer.get(kept.taken - 1).cloned().map(Ok)
            }
        }
    }
}

/// Answers the first request: what this server can do for the caller in this repository.
///
/// # Errors
/// What the decision about fetching from or pushing to the repository says.
pub async fn advertise(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    service: Service,
    protocol: Protocol,
) -> Result<Advertisement> {
    let action = match service {
        Service::UploadPack => Action::CodeRead,
        Service::ReceivePack => Action::CodePush,
    };
    let mut tries = ctx.tries();
    let found = loop {
        let found = ctx.authorize(&mut ctx.read().await?, target, action).await;
        if !tries.again().await {
            break found?;
        }
    };
    let repository = &found.repository;
    let state = ctx.app().git.state(&found)?;
    let body = match (service, protocol) {
        (Service::UploadPack, Protocol::V2) => {
            wire::advertise_upload_pack(protocol, &state.without_refs(), ctx.settings().bundles)
        }
        (Service::UploadPack, _) => wire::advertise_upload_pack(protocol, state.refs(ctx).await?, false),
        (Service::ReceivePack, _) => {
            let nonce = certificate::nonce(ctx, repository)?;
            wire::advertise_receive_pack(protocol, state.refs(ctx).await?, nonce.as_deref())
        }
    };
    Ok(Advertisement { owner: repository.owner.login.clone(), name: repository.name.clone(), body })
}

/// Answers a request for refs or objects. The body is expected decoded.
///
/// # Errors
/// What the decision about fetching from the repository says; `Unavailable` if the server is. What is wrong with the request
/// itself is part of the answer, in the words of the protocol.
pub async fn upload_pack(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    protocol: Protocol,
    body: &mut (impl AsyncRead + Unpin),
) -> Result<FetchAnswer> {
    // A body may take long to come: no connection waits for it.
    let found: RepositoryAccess = ctx.authorize(&mut ctx.read().await?, target, Action::CodeRead).await?;
    let engine = &ctx.app().git;
    let read = Request::read(body, protocol, ObjectFormat::Sha1, &engine.limits.fetch);
    let request = match in_time(engine.limits.processes.stall, read).await {
        Ok(request) => request,
        Err(error) => return Ok(refusal(&error)),
    };
    let state = engine.state(&found)?;
    match request {
        Request::Empty => Ok(FetchAnswer::Whole(Bytes::new())),
        Request::LsRefs(ls_refs) => list(ctx, &state, &ls_refs).await,
        Request::ObjectInfo(asked) => {
            let (packs, refs) = (state.packs(ctx).await?, state.refs(ctx).await?);
            match engine.server.object_info(packs, refs, asked).await {
                Ok(answer) => Ok(FetchAnswer::Whole(answer.into())),
                Err(error) => refused(error),
            }
        }
        Request::BundleUri => {
            let is_there = ctx.settings().bundles && state.packs(ctx).await?.has_closure();
            Ok(FetchAnswer::Whole(bundle_uri(is_there.then_some(BUNDLE)).into()))
        }
        Request::Fetch(fetch) => answer(ctx, &state, *fetch).await,
    }
}

/// Answers a request for a bundle of all that is shown: what a full clone would bring, as a file.
///
/// # Errors
/// What the decision about fetching from the repository says; `Conflict` if there is no bundle now, such as after history was
/// removed, or if the operator wants none; `Unavailable` if the server is.
pub async fn bundle(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<FetchAnswer> {
    let found = ctx.authorize(&mut ctx.read().await?, target, Action::CodeRead).await?;
    let none = || Error::conflict("there is no bundle of this repository now, please clone without");
    if !ctx.settings().bundles {
        return Err(none());
    }
    let engine = &ctx.app().git;
    let share = engine.fetches.take(ctx).await?;
    let state = engine.state(&found)?;
    let stream = engine.server.bundle(state.packs(ctx).await?, state.refs(ctx).await?).await;
    let stream = stream.map_err(fault)?.ok_or_else(none)?;
    Ok(FetchAnswer::Pack(Box::new(Pack { stream, keeping: None, _share: share })))
}

/// Answers a request for refs, anew unless the answer is kept.
async fn list(ctx: &RequestContext, state: &State, ls_refs: &LsRefs) -> Result<FetchAnswer> {
    let answers = &ctx.app().git.answers;
    let question = Question::new(&state.key(), "ls-refs", format!("{ls_refs:?}").as_bytes());
    match answers.find(question) {
        Ok(answer) => Ok(FetchAnswer::kept(answer)),
        Err(was_asked) => {
            let answer: Bytes = ls_refs.answer(state.refs(ctx).await?).into();
            answers.keep(question, vec![answer.clone()], was_asked);
            Ok(FetchAnswer::Whole(answer))
        }
    }
}

/// Answers a request for objects, anew unless the answer is kept.
async fn answer(ctx: &RequestContext, state: &State, fetch: Fetch) -> Result<FetchAnswer> {
    let engine = &ctx.app().git;
    if engine.server.transport() == Transport::Subprocess {
        return make(ctx, state, fetch, None).await;
    }
    let question = Question::new(&state.key(), &format!("fetch {:?}", fetch.protocol()), fetch.lines());
    match engine.answers.find(question) {
        Ok(answer) => Ok(FetchAnswer::kept(answer)),
        Err(was_asked) => {
            make(ctx, state, fetch, Some(Keeping::new(&engine.answers, question, was_asked))).await
        }
    }
}

async fn make(
    ctx: &RequestContext,
    state: &State,
    fetch: Fetch,
    keeping: Option<Keeping>,
) -> Result<FetchAnswer> {
    let engine = &ctx.app().git;
    let share = engine.fetches.take(ctx).await?;
    match engine.server.fetch(state.packs(ctx).await?, state.refs(ctx).await?, fetch).await {
        Ok(stream) => Ok(FetchAnswer::Pack(Box::new(Pack { stream, keeping, _share: share }))),
        Err(error) => refused(error),
    }
}

/// What is wrong with a request is part of the answer; that the server has too much to do is not.
fn refused(error: forge_git::Error) -> Result<FetchAnswer> {
    match error {
        error @ forge_git::Error::Busy(_) => Err(fault(error)),
        error => Ok(refusal(&error)),
    }
}

fn refusal(error: &forge_git::Error) -> FetchAnswer {
    FetchAnswer::Whole(wire::error_packet(&format!("upload-pack: {}", told(error))).into())
}
