//! <https://docs.github.com/rest/users/users>; neighbours hold e-mail addresses and keys.

mod emails;
mod keys;

use axum::extract::{Path, Query};
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::accounts::{self, ProfileChanges};
use forge_types::account::AccountRef;
use forge_types::id::AccountId;
use serde::Deserialize;

use crate::ApiState;
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::{PageQuery, since_link};
use crate::views::Links;
use crate::views::account::{PrivateUser, PublicUser, SimpleUser};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user", get(get_authenticated).patch(update_authenticated))
        .route("/user/{account_id}", get(get_by_id))
        .route("/users", get(list))
        .route("/users/{username}", get(get_by_username))
        .merge(emails::routes())
        .merge(keys::routes())
}

async fn get_authenticated(Ctx(ctx): Ctx) -> ApiResult<Json<PrivateUser>> {
    let profile = accounts::own(&ctx).await?;
    Ok(Json(PrivateUser::new(&Links::new(ctx.settings()), &profile)))
}

#[derive(Default, Deserialize)]
struct ProfileBody {
    name: Option<String>,
    email: Option<String>,
    bio: Option<String>,
}

async fn update_authenticated(
    Ctx(ctx): Ctx,
    OptionalJsonBody(body): OptionalJsonBody<ProfileBody>,
) -> ApiResult<Json<PrivateUser>> {
    let changes = ProfileChanges { name: body.name, email: body.email, description: body.bio };
    let profile = accounts::update_own(&ctx, &changes).await?;
    Ok(Json(PrivateUser::new(&Links::new(ctx.settings()), &profile)))
}

async fn get_by_username(Ctx(ctx): Ctx, Path(username): Path<String>) -> ApiResult<Json<PublicUser>> {
    let profile = accounts::find_public(&ctx, &username).await?;
    Ok(Json(PublicUser::new(&Links::new(ctx.settings()), &profile)))
}

async fn get_by_id(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<Json<PublicUser>> {
    let id = id.parse().map_err(|_| forge_types::Error::not_found())?;
    let profile = accounts::find_by_id(&ctx, AccountId(id)).await?;
    Ok(Json(PublicUser::new(&Links::new(ctx.settings()), &profile)))
}

/// What lists of accounts start after.
#[derive(Deserialize)]
pub(super) struct Since {
    pub(super) since: Option<i64>,
}

async fn list(Ctx(ctx): Ctx, page: PageQuery, Query(query): Query<Since>) -> ApiResult<Response> {
    let size = page.request.size();
    let found = accounts::list(&ctx, AccountId(query.since.unwrap_or(0)), size).await?;
    let links = Links::new(ctx.settings());
    let users: Vec<SimpleUser> =
        found.iter().map(|account| SimpleUser::new(&links, &AccountRef::from(account))).collect();
    let next = found.last().filter(|_| users.len() == size as usize).map(|account| account.id.0);
    let mut response = Json(users).into_response();
    if let Some(link) = since_link(&links.api("users"), size, next) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}
