//! Reading the audit log.

use axum::Json;
use axum::extract::{OriginalUri, Query};
use axum::http::Uri;
use axum::http::header::{HeaderValue, LINK};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use forge_service::RequestContext;
use forge_service::audit_log::{self, AuditEvent, AuditQuery};
use forge_types::id::AuditEventId;
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::error::ApiResult;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filters {
    agent: Option<String>,
    task: Option<String>,
    repository: Option<String>,
    action: Option<String>,
    decision: Option<String>,
    after: Option<String>,
    per_page: Option<String>,
}

pub(super) async fn list(
    Ctx(ctx): Ctx,
    OriginalUri(uri): OriginalUri,
    Query(filters): Query<Filters>,
) -> ApiResult<Response> {
    let after = filters.after.as_deref().map(|text| text.parse().map(AuditEventId)).transpose();
    let message = "after must be the id of an event";
    let after = after.map_err(|_| Error::invalid("AuditEvent", "after", FieldCode::Invalid, message))?;
    let per_page = filters.per_page.and_then(|text| text.parse().ok()).unwrap_or(30);
    let query = AuditQuery {
        agent: filters.agent,
        task: filters.task,
        repository: filters.repository,
        action: filters.action,
        decision: filters.decision,
        after,
    };
    let page = audit_log::list(&ctx, query, per_page).await?;
    let next = page.has_next.then(|| page.items.last().map(|last| link(&ctx, &uri, last.id))).flatten();
    let items: Vec<Value> = page.items.iter().map(event).collect();
    let mut response = Json(items).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}

/// Returns the link to the events after `last`.
fn link(ctx: &RequestContext, uri: &Uri, last: AuditEventId) -> String {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let mut pairs: Vec<(String, String)> = pairs.into_iter().filter(|(name, _)| name != "after").collect();
    pairs.push(("after".to_owned(), last.to_string()));
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let origin = ctx.settings().origin.as_str().trim_end_matches('/');
    format!("<{origin}{}?{query}>; rel=\"next\"", uri.path())
}

fn event(event: &AuditEvent) -> Value {
    let actor = event
        .actor_id
        .map(|id| json!({ "id": id, "login": event.actor_login, "user_kind": event.actor_kind }));
    let acting = event.acting_id.map(|id| json!({ "id": id, "login": event.acting_login }));
    let credential = event.credential_kind.as_ref().map(
        |kind| json!({ "id": event.credential_id, "kind": kind, "fingerprint": event.token_fingerprint }),
    );
    json!({
        "id": event.id,
        "created_at": event.created_at,
        "action": event.event,
        "decision": event.decision,
        "reason": event.reason,
        "actor": actor,
        "acting": acting,
        "credential": credential,
        "repository_id": event.repository_id,
        "organization_id": event.organization_id,
        "subject_id": event.subject_id,
        "request_id": event.request_id,
        "surface": event.surface,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "details": serde_json::from_str::<Value>(&event.details).unwrap_or_default(),
        "content_hash": HEXLOWER.encode(&event.content_hash),
    })
}
