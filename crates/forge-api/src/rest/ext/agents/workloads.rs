//! Which workloads, by whose word, open sessions of an agent.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use forge_service::agents::{self, NewBinding};
use forge_types::id::WorkloadBindingId;
use forge_types::workload::{IssuerKeys, WorkloadBinding};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    issuer: String,
    audience: Option<String>,
    subject: String,
    #[serde(default)]
    claims: BTreeMap<String, Value>,
    max_ttl: Option<u64>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
}

pub(super) async fn list(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Vec<Value>>> {
    let found = agents::list_workloads(&ctx, &login).await?;
    Ok(Json(found.iter().map(view).collect()))
}

pub(super) async fn bind(
    Ctx(ctx): Ctx,
    Path(login): Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> ApiResult<Response> {
    let Body { issuer, audience, subject, claims, max_ttl, jwks, jwks_uri } = body;
    let new = NewBinding { issuer, audience, subject, claims, max_ttl, jwks, jwks_uri };
    let bound = agents::bind_workload(&ctx, &login, new).await?;
    Ok((StatusCode::CREATED, Json(view(&bound))).into_response())
}

pub(super) async fn unbind(
    Ctx(ctx): Ctx,
    Path((login, id)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    agents::unbind_workload(&ctx, &login, &WorkloadBindingId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(binding: &WorkloadBinding) -> Value {
    let (jwks, jwks_uri) = match &binding.keys {
        IssuerKeys::Inline(keys) => (serde_json::from_str::<Value>(keys).ok(), None),
        IssuerKeys::Address(address) => (None, Some(address)),
        IssuerKeys::Discovered => (None, None),
    };
    json!({
        "id": binding.id,
        "issuer": binding.issuer,
        "audience": binding.audience,
        "subject": binding.subject.as_str(),
        "claims": binding.claims,
        "max_ttl": binding.max_ttl.as_secs(),
        "jwks": jwks,
        "jwks_uri": jwks_uri,
        "created_at": binding.created_at,
        "last_used_at": binding.last_used_at,
    })
}
