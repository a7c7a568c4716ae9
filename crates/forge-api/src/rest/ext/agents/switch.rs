//! Switch sessions: a human acts as an agent for a short while.

use axum::Json;
use axum::extract::Path;
use axum::response::Response;
use forge_service::RequestContext;
use forge_service::Secret;
use forge_service::agents;
use forge_types::Error;
use forge_types::agent::Agent;
use forge_types::credential::Credential;
use forge_types::id::CredentialId;
use serde_json::{Value, json};

use super::views;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::ext::secret;

pub(super) async fn open(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Response> {
    let (agent, value, session) = agents::open_switch(&ctx, &login).await?;
    Ok(opened(&ctx, &agent, &value, &session))
}

pub(super) async fn refresh(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Response> {
    let (agent, value, session) = agents::renew_switch(&ctx, &login).await?;
    Ok(opened(&ctx, &agent, &value, &session))
}

fn opened(ctx: &RequestContext, agent: &Agent, value: &Secret, session: &Credential) -> Response {
    secret(Json(json!({
        "agent_login": agent.account.login,
        "token": views::credential(session, Some(value)),
        "user": views::agent(ctx, agent),
    })))
}

pub(super) async fn list(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Value>> {
    let sessions = agents::list_switches(&ctx, &login).await?;
    Ok(Json(sessions.iter().map(|session| views::credential(session, None)).collect()))
}

pub(super) async fn end_all(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Value>> {
    end(&ctx, &login, None).await
}

pub(super) async fn end_one(
    Ctx(ctx): Ctx,
    Path((login, id)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let id = id.parse().map_err(|_| Error::not_found())?;
    end(&ctx, &login, Some(CredentialId(id))).await
}

async fn end(ctx: &RequestContext, login: &str, only: Option<CredentialId>) -> ApiResult<Json<Value>> {
    let (agent, ended) = agents::end_switch(ctx, login, only).await?;
    Ok(Json(json!({ "agent_login": agent.account.login, "revoked_switch_sessions": ended })))
}
