//! Task grants.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::grants::{self, GrantDetails, GrantFilter};
use forge_types::grant::{GrantState, TaskGrant};
use forge_types::id::GrantId;
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/task-grants", post(create).get(list))
        .route("/task-grants/{id}", get(find).patch(change).delete(revoke))
        .route("/task-grants/{id}/consent", post(consent))
}

async fn create(Ctx(ctx): Ctx, JsonBody(details): JsonBody<GrantDetails>) -> ApiResult<Response> {
    let grant = grants::create(&ctx, &details).await?;
    let mut view = view(&ctx, &grant);
    if grants::offers_read(&ctx, &grant).await? {
        let links = Links::new(ctx.settings());
        view["offer"] = json!({
            "message": "the agent's own token may still write; with tasks it need not",
            "method": "PATCH",
            "url": format!("{}/agents/{}", links.web("api/ext/v1"), grant.agent.login),
            "body": { "standing_access": "read" },
        });
    }
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

#[derive(Deserialize)]
struct ListQuery {
    agent: Option<String>,
    task: Option<String>,
    state: Option<String>,
}

impl ListQuery {
    fn filter(self) -> ApiResult<GrantFilter> {
        let state = |name: String| {
            GrantState::parse(&name).ok_or_else(|| {
                let message = "state is one of pending_consent, active, expired, revoked";
                Error::invalid("TaskGrant", "state", FieldCode::Invalid, message)
            })
        };
        let login = |name: String| name.strip_prefix("agent:").map_or(name.clone(), str::to_owned);
        Ok(GrantFilter {
            agent: self.agent.map(login),
            task: self.task,
            state: self.state.map(state).transpose()?,
        })
    }
}

async fn list(Ctx(ctx): Ctx, Query(query): Query<ListQuery>, page: PageQuery) -> ApiResult<Response> {
    let found = grants::list(&ctx, &query.filter()?, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|one| view(&ctx, &one))))
}

async fn find(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let found = grants::find(&ctx, &GrantId(id)).await?;
    Ok(Json(view(&ctx, &found)))
}

async fn change(
    Ctx(ctx): Ctx,
    Path(id): Path<String>,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<Value>> {
    let changed = grants::change(&ctx, &GrantId(id), patch).await?;
    Ok(Json(view(&ctx, &changed)))
}

async fn revoke(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<StatusCode> {
    grants::revoke(&ctx, &GrantId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn consent(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let grant = grants::consent(&ctx, &GrantId(id)).await?;
    Ok(Json(view(&ctx, &grant)))
}

/// Returns a grant: what was granted, what became of it, and what was done under it.
fn view(ctx: &RequestContext, grant: &TaskGrant) -> Value {
    let links = Links::new(ctx.settings());
    let details = grants::granted(ctx, grant);
    let mut view = json!({
        "id": grant.id,
        "url": format!("{}/task-grants/{}", links.web("api/ext/v1"), grant.id),
        "state": grant.life.state(ctx.now()).as_str(),
        "policy": grant.policy.as_ref().map(|(_, name)| format!("policy:{}/{name}", grant.delegator.login)),
        "parent_grant_id": grant.parent_id,
        "depth": grant.depth,
        "expires_at": grant.life.expires_at,
        "created_at": grant.created_at,
        "consented_at": grant.life.consented_at,
        "revoked_at": grant.life.revoked_at,
        "revoke_reason": grant.revoke_reason,
        "agent_account": SimpleUser::new(&links, &grant.agent),
        "delegator_account": SimpleUser::new(&links, &grant.delegator),
        "used": {
            "pushes": grant.used.pushes,
            "bytes": grant.used.bytes,
            "last_used_at": grant.used.last_used_at,
        },
        "events_url": format!("{}/audit-events?grant={}", links.web("api/ext/v1"), grant.id),
        "authorization_details": [details.clone()],
    });
    if let (Value::Object(view), Value::Object(details)) = (&mut view, details) {
        view.extend(details);
    }
    view
}
