//! <https://docs.github.com/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization>

use axum::Json;
use axum::extract::{OriginalUri, Path, Query};
use axum::http::Uri;
use axum::http::header::{HeaderValue, LINK};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use forge_service::RequestContext;
use forge_service::audit::organization::{
    self, Cursor, Include, OrganizationAudit, OrganizationAuditQuery, github_action,
};
use forge_service::audit_log::AuditEvent;
use forge_service::organizations::OrganizationTarget;
use forge_types::id::AuditEventId;
use forge_types::{Error, FieldCode, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::context::Ctx;
use crate::error::ApiResult;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameters {
    phrase: Option<String>,
    include: Option<String>,
    after: Option<String>,
    before: Option<String>,
    order: Option<String>,
    per_page: Option<String>,
}

impl Parameters {
    fn read(&self) -> Result<OrganizationAuditQuery> {
        // GitHub's own links carry both, one of them empty.
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let cursor = match (said(&self.after), said(&self.before)) {
            (None, None) => Cursor::Start,
            (Some(after), None) => Cursor::After(read_cursor("after", &after)?),
            (None, Some(before)) => Cursor::Before(read_cursor("before", &before)?),
            (Some(_), Some(_)) => return Err(wrong("before", "`after` and `before` exclude one another")),
        };
        Ok(OrganizationAuditQuery {
            phrase: self.phrase.clone(),
            include: match self.include.as_deref() {
                None | Some("web") => Include::Web,
                Some("git") => Include::Git,
                Some("all") => Include::All,
                Some(_) => return Err(wrong("include", "`include` is none of web, git and all")),
            },
            cursor,
            is_ascending: match self.order.as_deref() {
                None | Some("desc") => false,
                Some("asc") => true,
                Some(_) => return Err(wrong("order", "`order` is neither desc nor asc")),
            },
            size: self.per_page.as_deref().and_then(|text| text.parse().ok()).unwrap_or(30),
        })
    }
}

fn wrong(field: &'static str, message: &str) -> Error {
    Error::invalid("AuditLog", field, FieldCode::Invalid, message)
}

/// A cursor is opaque to clients: they take it from a link.
fn cursor(id: AuditEventId) -> String {
    BASE64URL_NOPAD.encode(format!("audit:{id}").as_bytes())
}

fn read_cursor(field: &'static str, text: &str) -> Result<AuditEventId> {
    let decoded = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let id = decoded.as_deref().and_then(|text| text.strip_prefix("audit:")?.parse().ok());
    id.map(AuditEventId).ok_or_else(|| wrong(field, "a cursor is taken from a link"))
}

pub(super) async fn get_audit_log(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(parameters): Query<Parameters>,
) -> ApiResult<Response> {
    let query = parameters.read()?;
    let found = organization::list(&ctx, OrganizationTarget::Login(&org), &query).await?;
    let views: Vec<Value> = found.events.iter().map(|event| view(event, &found)).collect();
    let mut response = Json(views).into_response();
    if let Some(links) = links(&ctx, &uri, &found).and_then(|links| HeaderValue::from_str(&links).ok()) {
        response.headers_mut().insert(LINK, links);
    }
    Ok(response)
}

fn links(ctx: &RequestContext, uri: &Uri, found: &OrganizationAudit) -> Option<String> {
    let next = found.events.last().filter(|_| found.has_next).map(|last| ("after", last.id, "next"));
    let previous =
        found.events.first().filter(|_| found.has_previous).map(|first| ("before", first.id, "prev"));
    let links: Vec<String> = next
        .into_iter()
        .chain(previous)
        .map(|(name, id, relation)| format!("<{}>; rel=\"{relation}\"", address(ctx, uri, name, id)))
        .collect();
    if links.is_empty() { None } else { Some(links.join(", ")) }
}

fn address(ctx: &RequestContext, uri: &Uri, name: &str, id: AuditEventId) -> String {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let kept = pairs.into_iter().filter(|(name, _)| name != "after" && name != "before");
    let pairs: Vec<(String, String)> = kept.chain([(name.to_owned(), cursor(id))]).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("{}{}?{query}", ctx.settings().origin.as_str().trim_end_matches('/'), uri.path())
}

/// Returns an event in GitHub's shape; what GitHub has no member for lies in `data`.
fn view(event: &AuditEvent, found: &OrganizationAudit) -> Value {
    let (action, operation) = github_action(&event.event);
    let millis = event.created_at.as_micros().div_euclid(1000);
    let details: Map<String, Value> = serde_json::from_str(&event.details).unwrap_or_default();
    let effect: Value =
        event.side_effect.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let detail = |name: &str| details.get(name).cloned().unwrap_or_default();
    let user = effect["object"]
        .as_str()
        .and_then(|object| object.strip_prefix("user:").or_else(|| object.strip_prefix("agent:")));
    let members = json!({
        "@timestamp": millis,
        "_document_id": cursor(event.id),
        "action": action,
        "actor": event.actor_login,
        "actor_id": event.actor_id,
        "actor_is_agent": event.actor_kind.as_deref() == Some("agent"),
        "created_at": millis,
        "name": detail("name"),
        "old_name": detail("from"),
        "operation_type": operation,
        "org": found.organization.1,
        "org_id": found.organization.0,
        "permission": detail("permission"),
        "previous_visibility": detail("from").as_str().filter(|_| action == "repo.access"),
        "repo": event.resource.as_deref().and_then(|resource| resource.strip_prefix("repo:")),
        "repo_id": event.repository_id,
        "request_id": event.request_id,
        "team": details.get("team"),
        "token_id": event.credential_id,
        "user": user,
        "user_id": event.subject_id.filter(|_| user.is_some()),
        "visibility": detail("visibility"),
        "data": {
            "acting": event.acting_login,
            "delegator": event.delegator_login,
            "task": event.task,
            "grant": event.grant_id,
            "runtime": event.runtime,
            "resource": event.resource,
            "event": event.event,
            "decision": event.decision,
            "token_fingerprint": event.token_fingerprint,
            "side_effect": effect,
            "details": details,
            "position": event.position,
        },
    });
    let Value::Object(members) = members else { return members };
    Value::Object(members.into_iter().filter(|(_, member)| !member.is_null()).collect())
}
