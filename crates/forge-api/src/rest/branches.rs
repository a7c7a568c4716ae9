//! <https://docs.github.com/rest/branches/branches>

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::repositories::{self, Branch, NewMerge, VisibleRef};
use forge_types::repository::Repository;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::place::Place;
use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::commit::CommitView;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/branches", get(list_branches))
        .route("/branches/{branch}", get(get_branch))
        .route("/branches/{branch}/rename", post(rename_branch))
        .route("/merges", post(merge))
}

async fn list_branches(Ctx(ctx): Ctx, place: Place, page: PageQuery) -> ApiResult<Response> {
    let (access, found) = repositories::list_refs(&ctx, place.target(), "refs/heads/", page.request).await?;
    let commits = format!("repos/{}/commits", access.repository.full_name());
    let links = Links::new(ctx.settings());
    let view = |found: VisibleRef| {
        json!({
            "name": found.name.branch_name(),
            "commit": { "sha": found.id, "url": links.api(&format!("{commits}/{}", found.id)) },
            "protected": false,
        })
    };
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

#[derive(Deserialize)]
struct Named {
    branch: String,
}

async fn get_branch(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { branch }): Path<Named>,
) -> ApiResult<Json<Value>> {
    let (access, found) = repositories::find_branch(&ctx, place.target(), &branch).await?;
    Ok(Json(view(&Links::new(ctx.settings()), &access.repository, &found)))
}

/// GitHub's `branch-with-protection`.
fn view(links: &Links, repository: &Repository, found: &Branch) -> Value {
    let name = utf8_percent_encode(&found.name, NON_ALPHANUMERIC);
    let full_name = repository.full_name();
    let own = links.api(&format!("repos/{full_name}/branches/{name}"));
    let protection_url = format!("{own}/protection");
    json!({
        "name": found.name,
        "commit": CommitView::new(links, repository, &found.commit),
        "_links": { "self": own, "html": links.web(&format!("{full_name}/tree/{name}")) },
        "protected": false,
        "protection": {
            "enabled": false,
            "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
        },
        "protection_url": protection_url,
    })
}

#[derive(Deserialize)]
struct Renamed {
    new_name: String,
}

async fn rename_branch(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { branch }): Path<Named>,
    JsonBody(renamed): JsonBody<Renamed>,
) -> ApiResult<Response> {
    let (access, found) =
        repositories::rename_branch(&ctx, place.target(), &branch, &renamed.new_name).await?;
    let view = view(&Links::new(ctx.settings()), &access.repository, &found);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

#[derive(Deserialize)]
struct Merged {
    base: String,
    head: String,
    commit_message: Option<String>,
}

async fn merge(Ctx(ctx): Ctx, place: Place, JsonBody(new): JsonBody<Merged>) -> ApiResult<Response> {
    let new = NewMerge { base: new.base, head: new.head, message: new.commit_message, email: None };
    let (access, commit) = repositories::merge(&ctx, place.target(), &new).await?;
    let Some(commit) = commit else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let view = CommitView::new(&Links::new(ctx.settings()), &access.repository, &commit);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}
