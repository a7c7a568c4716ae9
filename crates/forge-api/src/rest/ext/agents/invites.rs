//! Invitations of agents.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents::{self, InviteRequest, RepositoryGrantRequest, TeamGrantRequest};
use forge_types::id::InviteId;
use forge_types::organization::TeamRole;
use forge_types::{Error, FieldCode, Permission, Result, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::views::invite;
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::rest::ext::secret;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Body {
    repo_grants: Vec<RepositoryBody>,
    team_grants: Vec<TeamBody>,
    agent_login: Option<String>,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryBody {
    repo_full_name: String,
    permission: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamBody {
    org: String,
    team_slug: String,
    role: Option<String>,
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::invalid("AgentInvite", field, FieldCode::Invalid, message)
}

impl Body {
    fn request(self) -> Result<InviteRequest> {
        let moment = |text: String| {
            Timestamp::parse(&text)
                .ok_or_else(|| invalid("expires_at", "expires_at must be an RFC 3339 time"))
        };
        Ok(InviteRequest {
            repositories: self.repo_grants.into_iter().map(repository).collect::<Result<_>>()?,
            teams: self.team_grants.into_iter().map(team).collect::<Result<_>>()?,
            agent_login: self.agent_login,
            expires_at: self.expires_at.map(moment).transpose()?,
        })
    }
}

fn repository(body: RepositoryBody) -> Result<RepositoryGrantRequest> {
    let message = "permission must be read, triage, write, maintain or admin (or pull, push)";
    let permission = Permission::parse(&body.permission).ok_or_else(|| invalid("permission", message))?;
    Ok(RepositoryGrantRequest { repo_full_name: body.repo_full_name, permission })
}

fn team(body: TeamBody) -> Result<TeamGrantRequest> {
    let role = body.role.as_deref().map_or(Some(TeamRole::Member), TeamRole::parse);
    let role = role.ok_or_else(|| invalid("role", "role must be member or maintainer"))?;
    Ok(TeamGrantRequest { org: body.org, team_slug: body.team_slug, role })
}

pub(super) async fn create(
    Ctx(ctx): Ctx,
    OptionalJsonBody(body): OptionalJsonBody<Body>,
) -> ApiResult<Response> {
    let (token, made) = agents::invite(&ctx, &body.request()?).await?;
    let mut view = invite(&made, ctx.now());
    view["invite_token"] = Value::from(token.expose());
    Ok(secret((StatusCode::CREATED, Json(view))))
}

pub(super) async fn list(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = agents::list_invites(&ctx, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|one| invite(&one, ctx.now()))))
}

pub(super) async fn find(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let found = agents::find_invite(&ctx, &InviteId(id)).await?;
    Ok(Json(invite(&found, ctx.now())))
}

pub(super) async fn withdraw(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<StatusCode> {
    agents::withdraw_invite(&ctx, &InviteId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
