//! REST: a file per page of GitHub's documentation, a function per operation.

mod ext;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::accounts;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::error::ApiResult;
use crate::{ApiState, etag, json_body_limit, layer};

/// Returns the routes of GitHub's API, without their prefix.
pub(crate) fn v3_routes() -> Router<ApiState> {
    Router::new().route("/users/{username}", get(account))
}

/// Returns the routes of our extensions, without their prefix.
pub(crate) fn ext_routes() -> Router<ApiState> {
    ext::routes()
}

/// Puts the layers of every REST route around `routes`.
pub(crate) fn layered(routes: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    routes
        .layer(from_fn(etag::layer))
        .layer(json_body_limit())
        .layer(from_fn_with_state(state.clone(), layer::layer))
}

async fn account(
    Ctx(ctx): Ctx,
    axum::extract::Path(login): axum::extract::Path<String>,
) -> ApiResult<Json<Value>> {
    let account = accounts::find_public(&ctx, &login).await?;
    Ok(Json(json!({ "login": account.login, "id": account.id })))
}
