//! Revoking leaked credentials: <https://docs.github.com/rest/credentials/revoke>.

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use forge_service::{Secret, revocations};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/credentials/revoke", post(revoke))
}

#[derive(Deserialize)]
struct Body {
    credentials: Vec<String>,
}

async fn revoke(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Body>) -> ApiResult<(StatusCode, Json<Value>)> {
    let tokens: Vec<Secret> = body.credentials.into_iter().map(Secret::new).collect();
    revocations::revoke_leaked(&ctx, &tokens).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}
