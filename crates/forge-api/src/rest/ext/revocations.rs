//! Revoking along one path, and kill switches.

use axum::extract::Path as UrlPath;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, post};
use axum::{Json, Router};
use forge_service::Secret;
use forge_service::revocations::{self, Path};
use forge_service::{RequestContext, kill_switches};
use forge_types::id::{GrantId, KillSwitchId};
use forge_types::kill_switch::KillSwitch;
use forge_types::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/revocations", post(revoke))
        .route("/kill-switches", post(set).get(list))
        .route("/kill-switches/{id}", delete(lift))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RevocationBody {
    token: Option<String>,
    agent: Option<String>,
    task: Option<String>,
    grant: Option<String>,
    owner: Option<String>,
    organization: Option<String>,
    policy: Option<String>,
    reason: String,
}

impl RevocationBody {
    fn path(&self) -> Result<Path> {
        let login = |text: &String, prefix: &str| text.strip_prefix(prefix).unwrap_or(text).to_owned();
        let paths = [
            self.token.as_ref().map(|token| Path::Token(Secret::new(token.clone()))),
            self.agent.as_ref().map(|agent| Path::Agent(login(agent, "agent:"))),
            self.task.as_ref().map(|task| Path::Task(task.clone())),
            self.grant.as_ref().map(|grant| Path::Grant(GrantId(grant.clone()))),
            self.owner.as_ref().map(|owner| Path::Owner(login(owner, "user:"))),
            self.organization.as_ref().map(|organization| Path::Organization(login(organization, "org:"))),
            self.policy.as_ref().map(|policy| Path::Policy(login(policy, "policy:"))),
        ];
        let mut given = paths.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(path), None) => Ok(path),
            _ => {
                let message =
                    "exactly one of token, agent, task, grant, owner, organization and policy is given";
                Err(Error::unprocessable(message))
            }
        }
    }
}

async fn revoke(Ctx(ctx): Ctx, JsonBody(body): JsonBody<RevocationBody>) -> ApiResult<Json<Value>> {
    let counts = revocations::revoke(&ctx, &body.path()?, &body.reason).await?;
    Ok(Json(json!({ "credentials": counts.credentials, "grants": counts.grants })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KillSwitchBody {
    scope: String,
    reason: String,
}

async fn set(
    Ctx(ctx): Ctx,
    JsonBody(body): JsonBody<KillSwitchBody>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let made = kill_switches::set(&ctx, &body.scope, &body.reason).await?;
    Ok((StatusCode::CREATED, Json(view(&ctx, &made))))
}

async fn list(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = kill_switches::list(&ctx, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|one| view(&ctx, &one))))
}

async fn lift(Ctx(ctx): Ctx, UrlPath(id): UrlPath<String>) -> ApiResult<StatusCode> {
    kill_switches::lift(&ctx, &KillSwitchId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(ctx: &RequestContext, switch: &KillSwitch) -> Value {
    let links = Links::new(ctx.settings());
    json!({
        "id": switch.id,
        "scope": switch.scope_text(),
        "reason": switch.reason,
        "set_by": SimpleUser::new(&links, &switch.set_by),
        "set_at": switch.set_at,
        "lifted_at": switch.lifted_at,
    })
}
