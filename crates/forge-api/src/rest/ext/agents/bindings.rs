//! Bindings of agents to humans: consent, name, end, recovery.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::Secret;
use forge_service::agents;
use serde::Deserialize;
use serde_json::{Value, json};

use super::views::{CredentialName, agent, credential, repository_grants, team_grants};
use crate::body::{JsonBody, OptionalJsonBody};
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::ext::secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmBody {
    invite_token: String,
}

pub(super) async fn confirm(
    Ctx(ctx): Ctx,
    JsonBody(body): JsonBody<ConfirmBody>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let confirmed = agents::confirm(&ctx, &Secret::new(body.invite_token)).await?;
    let view = json!({
        "human_user_id": confirmed.binding.human_id,
        "agent_user_id": confirmed.binding.agent_id,
        "bound_at": confirmed.binding.bound_at,
        "human_login": confirmed.human_login,
        "agent_login": confirmed.agent_login,
        "repo_grants": repository_grants(&confirmed.invite.repository_grants),
        "team_grants": team_grants(&confirmed.invite.team_grants),
    });
    Ok((StatusCode::CREATED, Json(view)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameBody {
    name: String,
}

pub(super) async fn rename(
    Ctx(ctx): Ctx,
    Path(login): Path<String>,
    JsonBody(body): JsonBody<RenameBody>,
) -> ApiResult<Json<Value>> {
    let renamed = agents::rename(&ctx, &login, &body.name).await?;
    Ok(Json(json!({ "agent": agent(ctx.settings(), &renamed) })))
}

pub(super) async fn unbind(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Value>> {
    let (agent, ended) = agents::unbind(&ctx, &login).await?;
    Ok(Json(json!({ "agent_login": agent.account.login, "revoked_switch_sessions": ended })))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResetBody {
    credential: Option<CredentialName>,
}

pub(super) async fn reset_token(
    Ctx(ctx): Ctx,
    Path(login): Path<String>,
    OptionalJsonBody(body): OptionalJsonBody<ResetBody>,
) -> ApiResult<Response> {
    let recovered = agents::recover(&ctx, &login, body.credential.map(Into::into)).await?;
    let view = json!({
        "agent_login": recovered.agent.account.login,
        "token": credential(&recovered.credential, Some(&recovered.secret)),
        "revoked_credentials": recovered.revoked,
    });
    Ok(secret(Json(view)))
}
