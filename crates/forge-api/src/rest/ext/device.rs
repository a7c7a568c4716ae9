//! Deciding a device code without a browser.

use axum::routing::post;
use axum::{Json, Router};
use forge_service::oauth::decision;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/oauth/device/approve", post(approve)).route("/oauth/device/reject", post(reject))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    user_code: String,
}

async fn approve(ctx: Ctx, body: JsonBody<Code>) -> ApiResult<Json<Value>> {
    decide(ctx, body, true).await
}

async fn reject(ctx: Ctx, body: JsonBody<Code>) -> ApiResult<Json<Value>> {
    decide(ctx, body, false).await
}

async fn decide(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Code>, is_approved: bool) -> ApiResult<Json<Value>> {
    let details = decision::decide(&ctx, &body.user_code, is_approved).await?;
    let scopes: Vec<&str> = details.scopes.iter().map(forge_types::Scope::as_str).collect();
    Ok(Json(json!({
        "state": if is_approved { "approved" } else { "denied" },
        "client": details.client_name,
        "scopes": scopes,
        "agent": details.task.as_ref().map(|task| task.agent.login.as_str()),
        "task": details.task.as_ref().map(|task| task.task.as_str()),
    })))
}
