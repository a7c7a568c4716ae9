//! Creating an organization of one's own, which GitHub offers on a page alone.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use forge_service::organizations::{self, NewOrganization};
use serde::Deserialize;

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::orgs;
use crate::views::Links;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/user/orgs", post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    login: String,
    name: Option<String>,
    email: Option<String>,
    description: Option<String>,
}

async fn create(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Create>) -> ApiResult<Response> {
    let new = NewOrganization {
        login: body.login,
        name: body.name,
        email: body.email,
        description: body.description,
    };
    let created = organizations::create(&ctx, &new).await?;
    let view = orgs::full(&ctx, &created);
    let location = Links::new(ctx.settings()).api(&format!("orgs/{}", view.base.login));
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(view)).into_response())
}
