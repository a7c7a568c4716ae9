//! Git over smart HTTP: the requests that `git clone`, `fetch`, `push` and `ls-remote` send.
//!
//! Anonymous callers are asked for a password alike whether a repository is private or absent; callers who said who they are
//! and may not read it are told that it does not exist. Bodies are decoded here (`Content-Encoding: gzip`), as a stream: the
//! limits of the services count decoded bytes, so a small body cannot become a large one unnoticed.

mod answer;
mod layer;
mod path;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, RawQuery};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use forge_git::wire::{Protocol, Service};
use forge_service::git;
use forge_service::target::RepositoryTarget;
use forge_types::{Error, ErrorKind};
use futures_util::TryStreamExt;
use tokio_util::io::StreamReader;
use tower_http::decompression::RequestDecompressionLayer;

use crate::ApiState;
use crate::context::Ctx;
use answer::{GitError, GitResult};

/// Returns the routes of all repositories, with and without `.git`.
pub fn router(state: &ApiState) -> Router {
    Router::new()
        .route("/{owner}/{repo}/info/refs", get(info_refs))
        .route("/{owner}/{repo}/info/bundle", get(bundle))
        .route("/{owner}/{repo}/git-upload-pack", post(upload_pack))
        .route("/{owner}/{repo}/git-receive-pack", post(receive_pack))
        .layer(RequestDecompressionLayer::new())
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), layer::layer))
        .with_state(state.clone())
}

async fn info_refs(
    Ctx(ctx): Ctx,
    Path((owner, repo)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> GitResult<Response> {
    let name = path::repository_name(&repo);
    let Some(service) = path::service(query.as_deref()) else {
        // The dumb protocol reads files; there are none to read. Who may not see the repository learns nothing else.
        git::advertise(&ctx, RepositoryTarget::Name(&owner, name), Service::UploadPack, Protocol::V2).await?;
        let message = "this server speaks smart HTTP only, please use a newer version of git";
        return Err(GitError(Error::forbidden(message)));
    };
    let target = RepositoryTarget::Name(&owner, name);
    let advertisement = git::advertise(&ctx, target, service, protocol(&headers)).await?;
    if let Some(location) = path::moved(&uri, (&owner, &repo), (&advertisement.owner, &advertisement.name)) {
        return Ok(answer::redirect(&location));
    }
    Ok(answer::whole(&format!("application/x-{}-advertisement", service.name()), advertisement.body))
}

async fn bundle(Ctx(ctx): Ctx, Path((owner, repo)): Path<(String, String)>) -> GitResult<Response> {
    let target = RepositoryTarget::Name(&owner, path::repository_name(&repo));
    Ok(answer::bundle(git::bundle(&ctx, target).await?))
}

async fn upload_pack(
    Ctx(ctx): Ctx,
    Path((owner, repo)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> GitResult<Response> {
    check_media_type(&headers, Service::UploadPack)?;
    let mut body = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let target = RepositoryTarget::Name(&owner, path::repository_name(&repo));
    let answer = git::upload_pack(&ctx, target, protocol(&headers), &mut body).await?;
    Ok(answer::fetch(answer))
}

async fn receive_pack(
    Ctx(ctx): Ctx,
    Path((owner, repo)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> GitResult<Response> {
    check_media_type(&headers, Service::ReceivePack)?;
    let body = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let target = RepositoryTarget::Name(&owner, path::repository_name(&repo));
    let answer = git::receive_pack(&ctx, target, body).await?;
    Ok(answer::push(answer).await)
}

/// A form on some page can post, but not with this media type.
fn check_media_type(headers: &HeaderMap, service: Service) -> GitResult<()> {
    let expected = format!("application/x-{}-request", service.name());
    if headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes() == expected.as_bytes()) {
        return Ok(());
    }
    Err(GitError(Error::new(ErrorKind::Malformed, format!("expected a body of type `{expected}`"))))
}

fn protocol(headers: &HeaderMap) -> Protocol {
    let value = headers.get("git-protocol").and_then(|value| value.to_str().ok());
    value.map_or(Protocol::V0, Protocol::from_header)
}
