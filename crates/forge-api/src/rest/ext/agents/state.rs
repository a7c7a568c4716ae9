//! Listing, reading, editing and suspending agents.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents::{self, AgentChanges};
use forge_types::agent::{AgentMode, StandingAccess};
use forge_types::ceiling::Ceiling;
use serde::Deserialize;
use serde_json::Value;

use super::views::{agent, overview};
use crate::body::{JsonBody, OptionalJsonBody, present};
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;

pub(super) async fn list_own(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = agents::list_own(&ctx, page.request).await?;
    let found = found.map(|one| overview(&ctx, &one));
    Ok(page.answer(ctx.settings(), &found))
}

pub(super) async fn find(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Value>> {
    let found = agents::find(&ctx, &login).await?;
    Ok(Json(agent(&ctx, &found)))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UpdateBody {
    #[serde(deserialize_with = "present")]
    name: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    description: Option<Option<String>>,
    standing_access: Option<StandingAccess>,
    bound_only: Option<bool>,
    signed_only: Option<bool>,
    mode: Option<AgentMode>,
    #[serde(deserialize_with = "present")]
    ceiling: Option<Option<Ceiling>>,
}

pub(super) async fn update(
    Ctx(ctx): Ctx,
    Path(login): Path<String>,
    JsonBody(body): JsonBody<UpdateBody>,
) -> ApiResult<Json<Value>> {
    let changes = AgentChanges {
        name: body.name,
        description: body.description,
        standing_access: body.standing_access,
        bound_only: body.bound_only,
        signed_only: body.signed_only,
        mode: body.mode,
        ceiling: body.ceiling,
    };
    let changed = agents::update(&ctx, &login, changes).await?;
    Ok(Json(agent(&ctx, &changed)))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SuspensionBody {
    reason: Option<String>,
}

pub(super) async fn suspend(
    Ctx(ctx): Ctx,
    Path(login): Path<String>,
    OptionalJsonBody(body): OptionalJsonBody<SuspensionBody>,
) -> ApiResult<StatusCode> {
    agents::suspend(&ctx, &login, body.reason.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn restore(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<StatusCode> {
    agents::restore(&ctx, &login).await?;
    Ok(StatusCode::NO_CONTENT)
}
