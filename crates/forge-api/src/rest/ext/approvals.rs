//! What waits for a human: looking, waiting, taking back. Deciding is for pages; here it is refused with the reason.

use std::time::Duration;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::approvals::{self, Answer, ApprovalFilter, LONGEST_WAIT};
use forge_types::approval::{Approval, ApprovalState, Asked};
use forge_types::id::{ApprovalId, GrantId};
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/approvals", get(list))
        .route("/approvals/{id}", get(find).delete(cancel))
        .route("/approvals/{id}/approve", post(approve))
        .route("/approvals/{id}/deny", post(deny))
}

#[derive(Deserialize)]
struct ListQuery {
    agent: Option<String>,
    grant: Option<String>,
    state: Option<String>,
}

impl ListQuery {
    fn filter(self) -> ApiResult<ApprovalFilter> {
        let state = |name: String| {
            ApprovalState::parse(&name).ok_or_else(|| {
                let names: Vec<&str> = ApprovalState::ALL.iter().map(|state| state.as_str()).collect();
                let message = format!("state is one of {}", names.join(", "));
                Error::invalid("Approval", "state", FieldCode::Invalid, message)
            })
        };
        Ok(ApprovalFilter {
            state: self.state.map(state).transpose()?,
            requester: self.agent,
            grant: self.grant.map(GrantId),
        })
    }
}

async fn list(Ctx(ctx): Ctx, Query(query): Query<ListQuery>, page: PageQuery) -> ApiResult<Response> {
    let found = approvals::list(&ctx, query.filter()?, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|one| view(&ctx, &one.approval))))
}

/// With `Prefer: wait=SECONDS` (RFC 7240 §4.3) the answer comes once it is decided, or after so long.
async fn find(Ctx(ctx): Ctx, Path(id): Path<String>, headers: HeaderMap) -> ApiResult<Response> {
    let id = ApprovalId(id);
    let Some(patience) = patience(&headers) else {
        let found = approvals::find(&ctx, &id).await?;
        return Ok(answer(&ctx, &found.approval));
    };
    let found = approvals::wait(&ctx, &id, patience).await?;
    let mut response = answer(&ctx, &found.approval);
    let applied = format!("wait={}", patience.min(LONGEST_WAIT).as_secs());
    if let Ok(applied) = HeaderValue::from_str(&applied) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

/// Returns how long the client wants to wait. A preference that cannot be read counts as none (RFC 7240 §2).
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences =
        values.flat_map(|value| value.split(',')).map(|one| one.split(';').next().unwrap_or(one));
    preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse().ok().map(Duration::from_secs)).flatten()
    })
}

async fn cancel(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<StatusCode> {
    approvals::cancel(&ctx, &ApprovalId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    #[serde(default)]
    comment: String,
}

async fn approve(
    Ctx(ctx): Ctx,
    Path(id): Path<String>,
    JsonBody(decision): JsonBody<Decision>,
) -> ApiResult<Json<Value>> {
    let answer = Answer { comment: &decision.comment, has_looked_elsewhere: false };
    let approval = approvals::approve(&ctx, &ApprovalId(id), &answer).await?;
    Ok(Json(view(&ctx, &approval)))
}

async fn deny(
    Ctx(ctx): Ctx,
    Path(id): Path<String>,
    JsonBody(decision): JsonBody<Decision>,
) -> ApiResult<Json<Value>> {
    let approval = approvals::deny(&ctx, &ApprovalId(id), &decision.comment).await?;
    Ok(Json(view(&ctx, &approval)))
}

fn answer(ctx: &RequestContext, approval: &Approval) -> Response {
    let mut response = Json(view(ctx, approval)).into_response();
    if !approval.state(ctx.now()).is_final() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// Returns an approval: who asked for what, what became of it, and, once it was done, what was done.
fn view(ctx: &RequestContext, approval: &Approval) -> Value {
    let links = Links::new(ctx.settings());
    let state = approval.state(ctx.now());
    let is_moved = state == ApprovalState::Consumed && !approval.asked.refs().is_empty();
    let result = is_moved.then(|| {
        let moved = approval.asked.refs().iter().map(|held| json!({ "ref": held.name, "new": held.new }));
        json!({ "refs": moved.collect::<Vec<_>>() })
    });
    json!({
        "id": approval.id,
        "url": format!("{}/approvals/{}", links.web("api/ext/v1"), approval.id),
        "html_url": links.web(&format!("approvals/{}", approval.id)),
        "status": state.as_str(),
        "requester": SimpleUser::new(&links, &approval.requester),
        "grant_id": approval.grant_id,
        "repository_id": approval.repository_id,
        "organization_id": approval.organization_id,
        "refs": approval.asked.refs(),
        "request": request(&approval.asked),
        "digest": approval.digest,
        "rule": approval.rule,
        "reason": approval.reason,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "decided_by": approval.decided_by.as_ref().map(|human| SimpleUser::new(&links, human)),
        "decided_at": approval.decided_at,
        "comment": approval.comment,
        "ended_at": approval.ended_at,
        "outcome": approval.outcome,
        "result": result,
    })
}

fn request(asked: &Asked) -> Option<Value> {
    match asked {
        Asked::Refs { .. } => None,
        Asked::Request { action, line, body } => {
            Some(json!({ "action": action, "line": line, "body": body }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_found_among_preferences() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(PREFER, HeaderValue::from_static(value));
            patience(&headers)
        };
        assert_eq!(read("wait=30"), Some(Duration::from_secs(30)));
        assert_eq!(read("respond-async, WAIT=\"5\""), Some(Duration::from_secs(5)));
        assert_eq!(read("wait=soon"), None);
        assert_eq!(read("respond-async"), None);
        assert_eq!(patience(&HeaderMap::new()), None);
    }
}
