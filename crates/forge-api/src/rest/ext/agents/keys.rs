//! Keys with which an agent proves itself. A new one comes with a proof: in the header `DPoP`, or in the body where the
//! header proves the key that the request itself is made with.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use forge_service::agents::{self, NewKey};
use forge_types::agent_key::KeyPurpose;
use forge_types::id::AgentKeyId;
use serde::Deserialize;
use serde_json::Value;

use super::views::key;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::layer::KeyProof;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    jwk: Value,
    purpose: Option<KeyPurpose>,
    proof: Option<String>,
}

pub(super) async fn list(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Vec<Value>>> {
    let found = agents::list_keys(&ctx, &login).await?;
    Ok(Json(found.iter().map(|found| key(found, ctx.now())).collect()))
}

pub(super) async fn add(
    Ctx(ctx): Ctx,
    Path(login): Path<String>,
    Extension(KeyProof(shown)): Extension<KeyProof>,
    JsonBody(body): JsonBody<Body>,
) -> ApiResult<Response> {
    let new = NewKey::read(&body.jwk, body.proof)?;
    let purpose = body.purpose.unwrap_or(KeyPurpose::Dpop);
    let added = agents::add_key(&ctx, &login, &new, purpose, &shown).await?;
    Ok((StatusCode::CREATED, Json(key(&added, ctx.now()))).into_response())
}

pub(super) async fn withdraw(
    Ctx(ctx): Ctx,
    Path((login, id)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    agents::withdraw_key(&ctx, &login, &AgentKeyId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
