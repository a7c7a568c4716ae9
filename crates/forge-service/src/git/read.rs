//! Clone, fetch and ls-remote.

use bytes::Bytes;
use forge_git::fetch::{PackStream, Request};
use forge_git::wire::{self, Protocol, Ref, RefSnapshot, Service};
use forge_store::Conn;
use forge_types::repository::{Repository, RepositoryAccess};
use forge_types::{Action, Error, ObjectFormat, RefName, Result};
use tokio::io::AsyncRead;

use super::fault::{fault, in_time, told};
use super::shares::Share;
use crate::context::RequestContext;
use crate::target::RepositoryTarget;

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
    Whole(Vec<u8>),
    /// A pack, as it comes.
    Pack(Box<Pack>),
}

/// A pack on its way to a caller, whose share of all transfers it takes.
#[derive(Debug)]
pub struct Pack {
    stream: PackStream,
    _share: Share,
}

impl FetchAnswer {
    /// Returns the next bytes, `None` at the end. An error means that the answer must be cut off, not ended.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(Ok(std::mem::take(bytes).into())),
            Self::Pack(pack) => pack.stream.next().await.map(|chunk| chunk.map_err(fault)),
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
    let mut conn = ctx.read().await?;
    let action = match service {
        Service::UploadPack => Action::CodeRead,
        Service::ReceivePack => Action::CodePush,
    };
    let found = ctx.authorize(&mut conn, target, action).await?;
    let repository = &found.repository;
    let body = match (service, protocol) {
        (Service::UploadPack, Protocol::V2) => wire::advertise_upload_pack(protocol, &unread(repository)?),
        (Service::UploadPack, _) => {
            wire::advertise_upload_pack(protocol, &snapshot(&mut conn, repository).await?)
        }
        (Service::ReceivePack, _) => {
            wire::advertise_receive_pack(protocol, &snapshot(&mut conn, repository).await?)
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
    let mut conn = ctx.read().await?;
    let found: RepositoryAccess = ctx.authorize(&mut conn, target, Action::CodeRead).await?;
    // A body may take long to come: no connection waits for it.
    drop(conn);
    let engine = &ctx.app().git;
    let read = Request::read(body, protocol, ObjectFormat::Sha1, &engine.limits.fetch);
    let request = match in_time(engine.limits.processes.stall, read).await {
        Ok(request) => request,
        Err(error) => return Ok(refusal(&error)),
    };
    let fetch = match request {
        Request::Empty => return Ok(FetchAnswer::Whole(Vec::new())),
        Request::LsRefs(ls_refs) => {
            let snapshot = snapshot(&mut ctx.read().await?, &found.repository).await?;
            return Ok(FetchAnswer::Whole(ls_refs.answer(&snapshot)));
        }
        Request::Fetch(fetch) => fetch,
    };
    let share = engine.fetches.take(ctx).await?;
    let snapshot = snapshot(&mut ctx.read().await?, &found.repository).await?;
    let repository = engine.repository(found.repository.id);
    match engine.server.fetch(&repository, &snapshot, *fetch).await {
        Ok(stream) => Ok(FetchAnswer::Pack(Box::new(Pack { stream, _share: share }))),
        Err(error @ forge_git::Error::Busy(_)) => Err(fault(error)),
        Err(error) => Ok(refusal(&error)),
    }
}

fn refusal(error: &forge_git::Error) -> FetchAnswer {
    FetchAnswer::Whole(wire::error_packet(&format!("upload-pack: {}", told(error))))
}

/// Loads every ref that readers of the repository see.
pub(super) async fn snapshot(conn: &mut Conn, repository: &Repository) -> Result<RefSnapshot> {
    let refs = forge_store::refs::list_visible(conn, repository.id).await?;
    let refs = refs.into_iter().map(|stored| Ref {
        name: stored.name,
        id: stored.object_id,
        peeled: stored.peeled_id,
    });
    Ok(RefSnapshot::new(ObjectFormat::Sha1, head(repository)?, refs.collect()))
}

/// Returns a snapshot without refs, for answers that name none.
fn unread(repository: &Repository) -> Result<RefSnapshot> {
    Ok(RefSnapshot::new(ObjectFormat::Sha1, head(repository)?, Vec::new()))
}

fn head(repository: &Repository) -> Result<RefName> {
    RefName::branch(&repository.default_branch).map_err(Error::internal)
}
