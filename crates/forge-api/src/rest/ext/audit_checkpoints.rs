//! Signed checkpoints of the audit log, and the keys to verify them with.

use axum::Json;
use axum::extract::{OriginalUri, Query, State};
use axum::http::header::{HeaderValue, LINK};
use axum::response::{IntoResponse, Response};
use forge_service::audit::checkpoint::{Published, key_set, time_of};
use forge_service::audit_log;
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::audit_events::link;
use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Since {
    after: Option<String>,
    per_page: Option<String>,
}

pub(super) async fn list(
    Ctx(ctx): Ctx,
    OriginalUri(uri): OriginalUri,
    Query(since): Query<Since>,
) -> ApiResult<Response> {
    let message = "after must be the id of a checkpoint";
    let invalid = |_| Error::invalid("AuditCheckpoint", "after", FieldCode::Invalid, message);
    let after = since.after.as_deref().map_or(Ok(0), |text| text.parse().map_err(invalid))?;
    let per_page = since.per_page.and_then(|text| text.parse().ok()).unwrap_or(30);
    let page = audit_log::list_checkpoints(&ctx, after, per_page).await?;
    let next = page.has_next.then(|| page.items.last().map(|last| link(&ctx, &uri, last.id))).flatten();
    let shown = page.items.iter().map(|checkpoint| {
        let published = Published::from(checkpoint);
        json!({
            "id": checkpoint.id,
            "chain": published.chain,
            "position": published.position,
            "hash": published.hash,
            "created_at": time_of(&published),
            "created_at_micros": published.created_at_micros,
            "key_id": published.key_id,
            "signature": published.signature,
        })
    });
    let mut response = Json(shown.collect::<Vec<Value>>()).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}

/// Answers with the keys as a JWK set (RFC 7517), for everybody.
pub(crate) async fn keys(State(state): State<ApiState>) -> ApiResult<Json<Value>> {
    Ok(Json(key_set(&state.app)?))
}
