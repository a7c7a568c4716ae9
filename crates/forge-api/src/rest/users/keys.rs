//! <https://docs.github.com/rest/users/keys> and <https://docs.github.com/rest/users/ssh-signing-keys>

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::public_keys;
use forge_types::Error;
use forge_types::id::PublicKeyId;
use forge_types::public_key::PublicKeyUse::{Authentication, Signing};
use serde::Deserialize;

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::key::{KeyView, SigningKey, SimpleKey};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user/keys", get(list_public_ssh_keys_for_authenticated_user).post(create_public_ssh_key))
        .route("/user/keys/{key_id}", get(get_public_ssh_key).delete(delete_public_ssh_key))
        .route("/user/ssh_signing_keys", get(list_ssh_signing_keys).post(create_ssh_signing_key))
        .route("/user/ssh_signing_keys/{key_id}", get(get_ssh_signing_key).delete(delete_ssh_signing_key))
        .route("/users/{username}/keys", get(list_public_keys_for_user))
        .route("/users/{username}/ssh_signing_keys", get(list_ssh_signing_keys_for_user))
}

#[derive(Deserialize)]
struct KeyBody {
    title: Option<String>,
    key: String,
}

fn key_id(text: &str) -> Result<PublicKeyId, Error> {
    text.parse().map(PublicKeyId).map_err(|_| Error::not_found())
}

async fn list_public_ssh_keys_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = public_keys::list(&ctx, Authentication, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|key| KeyView::new(&links, &key))))
}

async fn create_public_ssh_key(Ctx(ctx): Ctx, JsonBody(body): JsonBody<KeyBody>) -> ApiResult<Response> {
    let title = body.title.unwrap_or_default();
    let key = public_keys::create(&ctx, Authentication, &title, &body.key).await?;
    let view = KeyView::new(&Links::new(ctx.settings()), &key);
    Ok((StatusCode::CREATED, [(LOCATION, view.url.clone())], Json(view)).into_response())
}

async fn get_public_ssh_key(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<Json<KeyView>> {
    let key = public_keys::find(&ctx, Authentication, key_id(&id)?).await?;
    Ok(Json(KeyView::new(&Links::new(ctx.settings()), &key)))
}

async fn delete_public_ssh_key(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<StatusCode> {
    public_keys::delete(&ctx, Authentication, key_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_ssh_signing_keys(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = public_keys::list(&ctx, Signing, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|key| SigningKey::from(&key))))
}

async fn create_ssh_signing_key(Ctx(ctx): Ctx, JsonBody(body): JsonBody<KeyBody>) -> ApiResult<Response> {
    let title = body.title.unwrap_or_default();
    let key = public_keys::create(&ctx, Signing, &title, &body.key).await?;
    Ok((StatusCode::CREATED, Json(SigningKey::from(&key))).into_response())
}

async fn get_ssh_signing_key(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<Json<SigningKey>> {
    let key = public_keys::find(&ctx, Signing, key_id(&id)?).await?;
    Ok(Json(SigningKey::from(&key)))
}

async fn delete_ssh_signing_key(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<StatusCode> {
    public_keys::delete(&ctx, Signing, key_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_public_keys_for_user(
    Ctx(ctx): Ctx,
    Path(username): Path<String>,
    page: PageQuery,
) -> ApiResult<Response> {
    let found = public_keys::list_of_user(&ctx, &username, Authentication, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|key| SimpleKey::from(&key))))
}

async fn list_ssh_signing_keys_for_user(
    Ctx(ctx): Ctx,
    Path(username): Path<String>,
    page: PageQuery,
) -> ApiResult<Response> {
    let found = public_keys::list_of_user(&ctx, &username, Signing, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|key| SigningKey::from(&key))))
}
