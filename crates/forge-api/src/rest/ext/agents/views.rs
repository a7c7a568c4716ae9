//! How agents, their invitations and credentials look. An agent is GitHub's simple user with more beside it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use forge_service::RequestContext;
use forge_service::Secret;
use forge_service::agents::CreatedAgent;
use forge_service::app::AgentCredential;
use forge_types::Timestamp;
use forge_types::account::{AccountRef, AccountStatus};
use forge_types::agent::{Agent, AgentInvite, AgentOverview, RepositoryGrant, TeamGrant};
use forge_types::agent_key::AgentKey;
use forge_types::credential::{Credential, CredentialKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::views::Links;
use crate::views::account::SimpleUser;

/// What an agent asks to receive.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CredentialName {
    Token,
    Bootstrap,
}

impl From<CredentialName> for AgentCredential {
    fn from(name: CredentialName) -> Self {
        match name {
            CredentialName::Token => Self::Token,
            CredentialName::Bootstrap => Self::Bootstrap,
        }
    }
}

/// Returns the answer that shows an agent's first credential.
pub(super) fn created(ctx: &RequestContext, created: &CreatedAgent) -> Response {
    let kind = if created.credential.kind == CredentialKind::Bootstrap { "bootstrap" } else { "token" };
    Json(CreatedView {
        login: &created.agent.account.login,
        token: created.secret.expose(),
        credential: kind,
        repo_full_name: created.repository.as_ref().map(forge_types::repository::Repository::full_name),
        key: created.key.as_ref().map(|added| key(added, ctx.now())),
        agent: agent(ctx, &created.agent),
    })
    .into_response()
}

/// In this order, so that what is needed next comes first.
#[derive(Serialize)]
struct CreatedView<'a> {
    login: &'a str,
    token: &'a str,
    credential: &'a str,
    repo_full_name: Option<String>,
    key: Option<Value>,
    agent: Value,
}

/// Returns an agent.
pub(super) fn agent(ctx: &RequestContext, agent: &Agent) -> Value {
    let account = &agent.account;
    let links = Links::new(ctx.settings());
    let user = |account: &AccountRef| SimpleUser::new(&links, account);
    let mut view = json!(user(&account.into()));
    let more = json!({
        "name": account.name,
        "user_kind": account.kind.as_str(),
        "status": account.status.as_str(),
        "suspended_reason": agent.suspended_reason,
        "description": account.description,
        "owner": agent.owner.as_ref().map(user),
        "bound_at": agent.bound_at,
        "undo_until": agent.undo_until(ctx.now()),
        "created_by": agent.creator.as_ref().map(user),
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "last_used_at": agent.last_used_at,
        "standing_access": agent.standing_access,
        "bound_only": agent.bound_only,
        "signed_only": agent.signed_only,
        "mode": agent.mode(),
        "delegator": agent.delegator.as_ref().map(user),
        "ceiling": agent.ceiling,
        "expires_unbound_at": agent.expires_unbound_at,
    });
    if let (Value::Object(view), Value::Object(more)) = (&mut view, more) {
        view.extend(more);
    }
    view
}

/// Returns an agent as its human lists it.
pub(super) fn overview(ctx: &RequestContext, overview: &AgentOverview) -> Value {
    let state = match (overview.agent.account.status, overview.credential_created_at) {
        (AccountStatus::Suspended | AccountStatus::Deleted, _) => "suspended",
        (AccountStatus::Active, Some(_)) => "active",
        (AccountStatus::Active, None) => "none",
    };
    let mut token_status = json!({ "state": state });
    if let Some(created_at) = overview.credential_created_at {
        token_status["created_at"] = json!(created_at);
    }
    let repositories: Vec<Value> = overview
        .repositories
        .iter()
        .map(|(name, permission)| json!({ "repo_full_name": name, "permission": permission.role_name() }))
        .collect();
    let teams: Vec<Value> = overview
        .teams
        .iter()
        .map(|place| {
            json!({ "org": place.organization_login, "team_slug": place.slug, "role": place.role.as_str() })
        })
        .collect();
    json!({
        "agent": agent(ctx, &overview.agent),
        "bound_at": overview.agent.bound_at,
        "token_status": token_status,
        "access_summary": { "repos": repositories, "teams": teams },
    })
}

/// Returns an invitation, without its secret.
pub(super) fn invite(invite: &AgentInvite, now: Timestamp) -> Value {
    json!({
        "id": invite.id,
        "state": invite.state(now).as_str(),
        "agent_login": invite.agent_login,
        "repo_grants": repository_grants(&invite.repository_grants),
        "team_grants": team_grants(&invite.team_grants),
        "created_at": invite.created_at,
        "expires_at": invite.expires_at,
        "accepted_at": invite.consumed_at,
        "accepted_by_id": invite.consumed_by,
    })
}

/// Returns what an invitation gives in repositories.
pub(super) fn repository_grants(grants: &[RepositoryGrant]) -> Vec<Value> {
    let view = |grant: &RepositoryGrant| json!({ "repo_full_name": grant.repo_full_name, "permission": grant.permission.role_name() });
    grants.iter().map(view).collect()
}

/// Returns what an invitation gives in teams.
pub(super) fn team_grants(grants: &[TeamGrant]) -> Vec<Value> {
    let view = |grant: &TeamGrant| json!({ "org": grant.org, "team_slug": grant.team_slug, "role": grant.role.as_str() });
    grants.iter().map(view).collect()
}

/// Returns a credential; its value only in the answer that makes it.
pub(super) fn credential(credential: &Credential, value: Option<&Secret>) -> Value {
    let mut view = json!({
        "id": credential.id,
        "name": credential.name,
        "kind": credential.kind.as_str(),
        "created_at": credential.created_at,
    });
    if let Some(value) = value {
        view["token"] = Value::from(value.expose());
    }
    if let Some(expires_at) = credential.expires_at {
        view["expires_at"] = json!(expires_at);
    }
    if let Some(until) = credential.renewable_until {
        view["renewable_until"] = json!(until);
    }
    view
}

/// Returns a key of an agent.
pub(super) fn key(key: &AgentKey, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "purpose": key.purpose,
        "algorithm": key.algorithm,
        "jwk": serde_json::from_str::<Value>(&key.public_key).unwrap_or_default(),
        "thumbprint": key.thumbprint,
        "state": key.state(now).as_str(),
        "created_at": key.created_at,
        "retires_at": key.retires_at,
        "last_used_at": key.last_used_at,
    })
}
