//! <https://docs.github.com/rest/git/commits>

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::objects::{self, NewCommit};
use serde::Deserialize;

use super::IdentityBody;
use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::place::Place;
use crate::views::Links;
use crate::views::commit::GitCommitView;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/git/commits/{commit_sha}", get(get_commit))
        .route("/git/commits", post(create_commit))
}

#[derive(Deserialize)]
struct Named {
    commit_sha: String,
}

async fn get_commit(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { commit_sha }): Path<Named>,
) -> ApiResult<Json<GitCommitView>> {
    let (access, commit) = objects::commit(&ctx, place.target(), &commit_sha).await?;
    Ok(Json(GitCommitView::new(&Links::new(ctx.settings()), &access.repository, &commit)))
}

#[derive(Deserialize)]
struct NewBody {
    message: String,
    tree: String,
    #[serde(default)]
    parents: Vec<String>,
    author: Option<IdentityBody>,
    committer: Option<IdentityBody>,
    signature: Option<String>,
}

async fn create_commit(Ctx(ctx): Ctx, place: Place, JsonBody(new): JsonBody<NewBody>) -> ApiResult<Response> {
    let new = NewCommit {
        message: new.message,
        tree: new.tree,
        parents: new.parents,
        author: IdentityBody::read_optional(new.author)?,
        committer: IdentityBody::read_optional(new.committer)?,
        signature: new.signature.filter(|signature| !signature.is_empty()),
    };
    let (access, commit) = objects::create_commit(&ctx, place.target(), new).await?;
    let view = GitCommitView::new(&Links::new(ctx.settings()), &access.repository, &commit);
    Ok((StatusCode::CREATED, [(LOCATION, view.url.clone())], Json(view)).into_response())
}
