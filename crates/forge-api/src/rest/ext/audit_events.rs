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
use forge_types::{Error, FieldCode, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::error::ApiResult;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filters {
    agent: Option<String>,
    task: Option<String>,
    grant: Option<String>,
    repository: Option<String>,
    action: Option<String>,
    decision: Option<String>,
    pub(super) after: Option<String>,
    per_page: Option<String>,
}

impl Filters {
    /// Returns what they ask of an event.
    ///
    /// # Errors
    /// `Invalid` if there is no such decision.
    pub(super) fn query(&self, after: Option<AuditEventId>) -> Result<AuditQuery> {
        if self.decision.as_deref().is_some_and(|decision| !matches!(decision, "allow" | "deny")) {
            let message = "decision is `allow` or `deny`";
            return Err(Error::invalid("AuditEvent", "decision", FieldCode::Invalid, message));
        }
        Ok(AuditQuery {
            agent: self.agent.clone(),
            task: self.task.clone(),
            grant: self.grant.clone(),
            repository: self.repository.clone(),
            action: self.action.clone(),
            decision: self.decision.clone(),
            after,
        })
    }
}

pub(super) async fn list(
    Ctx(ctx): Ctx,
    OriginalUri(uri): OriginalUri,
    Query(filters): Query<Filters>,
) -> ApiResult<Response> {
    let after = filters.after.as_deref().map(|text| text.parse().map(AuditEventId)).transpose();
    let message = "after must be the id of an event";
    let after = after.map_err(|_| Error::invalid("AuditEvent", "after", FieldCode::Invalid, message))?;
    let per_page = filters.per_page.as_deref().and_then(|text| text.parse().ok()).unwrap_or(30);
    let query = filters.query(after)?;
    let page = audit_log::list(&ctx, query, per_page).await?;
    let next = page.has_next.then(|| page.items.last().map(|last| link(&ctx, &uri, last.id.0))).flatten();
    let items: Vec<Value> = page.items.iter().map(event).collect();
    let mut response = Json(items).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}

/// Returns the link to what comes after the item with the id `last`.
pub(super) fn link(ctx: &RequestContext, uri: &Uri, last: i64) -> String {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let mut pairs: Vec<(String, String)> = pairs.into_iter().filter(|(name, _)| name != "after").collect();
    pairs.push(("after".to_owned(), last.to_string()));
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let origin = ctx.settings().origin.as_str().trim_end_matches('/');
    format!("<{origin}{}?{query}>; rel=\"next\"", uri.path())
}

/// Returns an event as this interface shows it, also in the stream.
pub(super) fn event(event: &AuditEvent) -> Value {
    let actor = event
        .actor_id
        .map(|id| json!({ "id": id, "login": event.actor_login, "user_kind": event.actor_kind }));
    let is_agent = event.actor_kind.as_deref() == Some("agent");
    let agent = event.actor_id.filter(|_| is_agent).map(|id| json!({ "id": id, "login": event.actor_login }));
    let acting = event.acting_id.map(|id| json!({ "id": id, "login": event.acting_login }));
    let delegator = event.delegator_id.map(|id| json!({ "id": id, "login": event.delegator_login }));
    let credential = event.credential_kind.as_ref().map(
        |kind| json!({ "id": event.credential_id, "kind": kind, "fingerprint": event.token_fingerprint }),
    );
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut shown = json!({
        "id": event.id,
        "created_at": event.created_at,
        "action": event.event,
        "decision": event.decision,
        "reason": event.reason,
        "actor": actor,
        "agent": agent,
        "acting": acting,
        "delegator": delegator,
        "task": event.task,
        "grant": event.grant_id,
        "runtime": event.runtime,
        "credential": credential,
        "resource": event.resource,
        "side_effect": event.side_effect.as_deref().map(parsed),
        "repository_id": event.repository_id,
        "organization_id": event.organization_id,
        "subject_id": event.subject_id,
        "request_id": event.request_id,
        "surface": event.surface,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "details": parsed(&event.details),
        "content_hash": HEXLOWER.encode(&event.content_hash),
    });
    shown["personal"] = event.personal.as_deref().map(parsed).unwrap_or_default();
    shown["position"] = event.position.into();
    shown["hash"] = event.hash.as_deref().map(|hash| HEXLOWER.encode(hash)).into();
    shown
}
