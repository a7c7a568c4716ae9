//! Bindings of agents to humans: consent, name, end, recovery.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::Secret;
use forge_service::agents;
use forge_types::agent::undo_until;
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
        "undo_until": undo_until(confirmed.binding.bound_at, ctx.now()),
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
    Ok(Json(json!({ "agent": agent(&ctx, &renamed) })))
}

pub(super) async fn unbind(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Value>> {
    let (agent, ended) = agents::unbind(&ctx, &login).await?;
    Ok(Json(json!({ "agent_login": agent.account.login, "revoked_switch_sessions": ended })))
}

pub(super) async fn undo(Ctx(ctx): Ctx, Path(login): Path<String>) -> ApiResult<Json<Value>> {
    let undone = agents::undo_binding(&ctx, &login).await?;
    let permissions = undone.permissions.iter().map(
        |given| json!({ "repo_full_name": given.repo_full_name, "permission": given.permission.role_name() }),
    );
    let places = undone
        .places
        .iter()
        .map(|given| json!({ "org": given.org, "team_slug": given.team_slug, "role": given.role.as_str() }));
    Ok(Json(json!({
        "agent_login": undone.agent.account.login,
        "revoked_switch_sessions": undone.revoked_switch_sessions,
        "taken_back": {
            "repo_grants": permissions.collect::<Vec<_>>(),
            "team_grants": places.collect::<Vec<_>>(),
            "org_memberships": undone.memberships.iter().map(|given| &given.org).collect::<Vec<_>>(),
        },
    })))
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
