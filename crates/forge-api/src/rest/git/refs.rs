//! <https://docs.github.com/rest/git/refs>

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::repositories::{self, VisibleRef};
use forge_types::NodeId;
use forge_types::repository::Repository;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::rest::place::Place;
use crate::views::Links;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/git/ref/{*ref}", get(get_ref))
        .route("/git/refs", post(create_ref))
        .route("/git/refs/{*ref}", get(get_ref).patch(update_ref).delete(delete_ref))
        .route("/git/matching-refs/{*ref}", get(list_matching_refs))
}

#[derive(Deserialize)]
struct Named {
    r#ref: String,
}

/// GitHub's `git-ref`.
#[derive(Serialize)]
struct RefView {
    r#ref: String,
    node_id: NodeId,
    url: String,
    object: Value,
}

impl RefView {
    fn new(links: &Links, repository: &Repository, found: &VisibleRef) -> Self {
        let place = format!("repos/{}/git", repository.full_name());
        let object_url = links.api(&format!("{place}/{}s/{}", found.kind, found.id));
        Self {
            r#ref: found.name.as_str().to_owned(),
            node_id: NodeId::Ref(repository.id, found.name.as_str().to_owned()),
            url: links.api(&format!("{place}/{}", found.name)),
            object: json!({ "type": found.kind, "sha": found.id, "url": object_url }),
        }
    }
}

/// Returns the full name of a ref that a path names without `refs/`, as GitHub's documentation does, or with it. What stands
/// there is decoded already, once.
fn full_name(named: &str) -> String {
    format!("refs/{}", named.strip_prefix("refs/").unwrap_or(named))
}

async fn get_ref(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { r#ref }): Path<Named>,
) -> ApiResult<Json<RefView>> {
    let name = full_name(&r#ref);
    let (access, found) = repositories::find_ref(&ctx, place.target(), &name).await?;
    Ok(Json(RefView::new(&Links::new(ctx.settings()), &access.repository, &found)))
}

async fn list_matching_refs(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { r#ref }): Path<Named>,
    page: PageQuery,
) -> ApiResult<Response> {
    let prefix = full_name(&r#ref);
    let (access, found) = repositories::list_refs(&ctx, place.target(), &prefix, page.request).await?;
    let links = Links::new(ctx.settings());
    let view = |found: VisibleRef| RefView::new(&links, &access.repository, &found);
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

#[derive(Deserialize)]
struct NewRef {
    r#ref: String,
    sha: String,
}

async fn create_ref(Ctx(ctx): Ctx, place: Place, JsonBody(new): JsonBody<NewRef>) -> ApiResult<Response> {
    let (access, made) = repositories::create_ref(&ctx, place.target(), &new.r#ref, &new.sha).await?;
    let view = RefView::new(&Links::new(ctx.settings()), &access.repository, &made);
    Ok((StatusCode::CREATED, [(LOCATION, view.url.clone())], Json(view)).into_response())
}

#[derive(Deserialize)]
struct MovedRef {
    sha: String,
    #[serde(default)]
    force: bool,
}

async fn update_ref(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { r#ref }): Path<Named>,
    JsonBody(moved): JsonBody<MovedRef>,
) -> ApiResult<Json<RefView>> {
    let name = full_name(&r#ref);
    let (access, found) =
        repositories::update_ref(&ctx, place.target(), &name, &moved.sha, moved.force).await?;
    Ok(Json(RefView::new(&Links::new(ctx.settings()), &access.repository, &found)))
}

async fn delete_ref(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { r#ref }): Path<Named>,
) -> ApiResult<StatusCode> {
    repositories::delete_ref(&ctx, place.target(), &full_name(&r#ref)).await?;
    Ok(StatusCode::NO_CONTENT)
}
