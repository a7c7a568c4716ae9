//! <https://docs.github.com/rest/repos/contents>: changing and deleting files.

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use forge_service::repositories::{self, FileCommit, FileEdit};
use forge_types::Error;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Addresses, OfPath};
use crate::base64;
use crate::body::{JsonBody, OptionalJsonBody};
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::git::IdentityBody;
use crate::rest::place::Place;
use crate::views::Links;
use crate::views::commit::GitCommitView;

#[derive(Deserialize)]
pub(super) struct PutBody {
    message: String,
    content: String,
    sha: Option<String>,
    branch: Option<String>,
    author: Option<IdentityBody>,
    committer: Option<IdentityBody>,
}

pub(super) async fn put_content(
    Ctx(ctx): Ctx,
    place: Place,
    Path(OfPath { path }): Path<OfPath>,
    JsonBody(body): JsonBody<PutBody>,
) -> ApiResult<Response> {
    let edit = FileEdit {
        path,
        content: Some(base64::decode("Content", "content", &body.content)?),
        sha: body.sha,
        branch: body.branch,
        message: body.message,
        author: IdentityBody::read_optional(body.author)?,
        committer: IdentityBody::read_optional(body.committer)?,
    };
    let done = repositories::put_file(&ctx, place.target(), edit).await?;
    let status = if done.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(view(&Links::new(ctx.settings()), &done))).into_response())
}

/// What a request to delete may say in its body, or in its query where a client sends no body with `DELETE`.
#[derive(Default, Deserialize)]
pub(super) struct DeleteBody {
    message: Option<String>,
    sha: Option<String>,
    branch: Option<String>,
    author: Option<IdentityBody>,
    committer: Option<IdentityBody>,
}

#[derive(Deserialize)]
pub(super) struct DeleteQuery {
    message: Option<String>,
    sha: Option<String>,
    branch: Option<String>,
}

pub(super) async fn delete_content(
    Ctx(ctx): Ctx,
    place: Place,
    Path(OfPath { path }): Path<OfPath>,
    Query(query): Query<DeleteQuery>,
    OptionalJsonBody(body): OptionalJsonBody<DeleteBody>,
) -> ApiResult<Json<Value>> {
    let wanting =
        |field: &str| Error::unprocessable(format!("Invalid request.\n\n\"{field}\" wasn't supplied."));
    let edit = FileEdit {
        path,
        content: None,
        sha: Some(body.sha.or(query.sha).ok_or_else(|| wanting("sha"))?),
        branch: body.branch.or(query.branch),
        message: body.message.or(query.message).ok_or_else(|| wanting("message"))?,
        author: IdentityBody::read_optional(body.author)?,
        committer: IdentityBody::read_optional(body.committer)?,
    };
    let done = repositories::delete_file(&ctx, place.target(), edit).await?;
    Ok(Json(view(&Links::new(ctx.settings()), &done)))
}

/// GitHub's `file-commit`.
fn view(links: &Links, done: &FileCommit) -> Value {
    let repository = &done.access.repository;
    let place = Addresses::of(links, repository, done.branch.clone());
    let content = done.entry.as_ref().map(|entry| {
        let mut view = place.describe(entry);
        // There is no address of the bytes alone, and no way to say so here.
        if let Some(members) = view.as_object_mut() {
            members.remove("download_url");
        }
        view
    });
    json!({ "content": content, "commit": GitCommitView::new(links, repository, &done.commit) })
}
