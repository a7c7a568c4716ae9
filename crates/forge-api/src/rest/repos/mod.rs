//! <https://docs.github.com/rest/repos/repos>

mod body;
mod forks;
mod lists;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::repositories::{self, RepositoryOwner};
use forge_service::{RequestContext, repositories::find};
use forge_types::Result;
use forge_types::repository::RepositoryAccess;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::views::Links;
use crate::views::repository::FullRepository;

use body::{CreateBody, TemplateBody, TransferBody, UpdateBody};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user/repos", get(lists::list_for_authenticated_user).post(create_for_authenticated_user))
        .route("/users/{username}/repos", get(lists::list_for_user))
        .route("/orgs/{org}/repos", get(lists::list_for_org).post(create_in_org))
        .route("/repositories", get(lists::list_public))
}

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/", get(get_repository).patch(update).delete(delete))
        .route("/transfer", post(transfer))
        .route("/forks", get(forks::list_forks).post(forks::create_fork))
        .route("/generate", post(create_using_template))
        .route("/topics", get(get_all_topics).put(replace_all_topics))
}

/// Returns the whole view of a repository for the caller.
async fn full(ctx: &RequestContext, access: &RepositoryAccess) -> Result<Json<FullRepository>> {
    let (links, knows_caller) = (Links::new(ctx.settings()), ctx.account_id().is_some());
    let (parent, source) = repositories::relatives(ctx, &access.repository).await?;
    let view = FullRepository::new(&links, access, knows_caller);
    Ok(Json(view.with_relatives(&links, parent.as_ref(), source.as_ref(), knows_caller)))
}

async fn get_repository(Ctx(ctx): Ctx, place: Place) -> ApiResult<Json<FullRepository>> {
    let found = find(&ctx, place.target()).await?;
    Ok(full(&ctx, &found).await?)
}

async fn create_for_authenticated_user(
    Ctx(ctx): Ctx,
    JsonBody(body): JsonBody<CreateBody>,
) -> ApiResult<Response> {
    let created = repositories::create(&ctx, RepositoryOwner::Own, &body.read()?).await?;
    Ok(answer_created(&ctx, &created).await?)
}

async fn create_in_org(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<CreateBody>,
) -> ApiResult<Response> {
    let created = repositories::create(&ctx, RepositoryOwner::Login(&org), &body.read()?).await?;
    Ok(answer_created(&ctx, &created).await?)
}

async fn create_using_template(
    Ctx(ctx): Ctx,
    place: Place,
    JsonBody(body): JsonBody<TemplateBody>,
) -> ApiResult<Response> {
    let owner = body.owner.as_deref().map_or(RepositoryOwner::Own, RepositoryOwner::Login);
    let (with_all_branches, new) = (body.include_all_branches, body.new_repository());
    let created =
        repositories::create_from_template(&ctx, owner, place.target(), with_all_branches, new).await?;
    Ok(answer_created(&ctx, &created).await?)
}

async fn answer_created(ctx: &RequestContext, created: &RepositoryAccess) -> Result<Response> {
    let location = Links::new(ctx.settings()).api(&format!("repos/{}", created.repository.full_name()));
    Ok((StatusCode::CREATED, [(LOCATION, location)], full(ctx, created).await?).into_response())
}

async fn update(
    Ctx(ctx): Ctx,
    place: Place,
    JsonBody(body): JsonBody<UpdateBody>,
) -> ApiResult<Json<FullRepository>> {
    let updated = repositories::update(&ctx, place.target(), &body.read()?).await?;
    Ok(full(&ctx, &updated).await?)
}

async fn delete(Ctx(ctx): Ctx, place: Place) -> ApiResult<StatusCode> {
    repositories::delete(&ctx, place.target()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn transfer(
    Ctx(ctx): Ctx,
    place: Place,
    JsonBody(body): JsonBody<TransferBody>,
) -> ApiResult<Response> {
    let name = body.new_name.as_deref();
    let moved = repositories::transfer(&ctx, place.target(), &body.new_owner, name).await?;
    Ok((StatusCode::ACCEPTED, full(&ctx, &moved).await?).into_response())
}

#[derive(Deserialize, Serialize)]
struct Topics {
    names: Vec<String>,
}

async fn get_all_topics(Ctx(ctx): Ctx, place: Place) -> ApiResult<Json<Topics>> {
    Ok(Json(Topics { names: repositories::topics(&ctx, place.target()).await? }))
}

async fn replace_all_topics(
    Ctx(ctx): Ctx,
    place: Place,
    JsonBody(body): JsonBody<Topics>,
) -> ApiResult<Json<Topics>> {
    Ok(Json(Topics { names: repositories::replace_topics(&ctx, place.target(), &body.names).await? }))
}
