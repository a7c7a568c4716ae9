//! What a site administrator does about agents: creating them, also where registration is closed.

use axum::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents::{self, AgentLogin, NewAgent, NewKey};
use forge_types::agent::StandingAccess;
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::Value;

use super::views::{CredentialName, created};
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::layer::KeyProof;
use crate::rest::ext::secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    login: Option<String>,
    prefix_login: Option<String>,
    default_repo_name: Option<String>,
    description: Option<String>,
    standing_access: Option<StandingAccess>,
    credential: Option<CredentialName>,
    jwk: Option<Value>,
    proof: Option<String>,
}

pub(super) async fn create(
    Ctx(ctx): Ctx,
    Extension(KeyProof(shown)): Extension<KeyProof>,
    JsonBody(body): JsonBody<Body>,
) -> ApiResult<Response> {
    let login = match (body.login, body.prefix_login) {
        (Some(login), None) => AgentLogin::Exact(login),
        (None, Some(prefix)) => AgentLogin::Prefix(prefix),
        (Some(_), Some(_)) | (None, None) => {
            let message = "either login or prefix_login must be given";
            return Err(Error::invalid("Agent", "login", FieldCode::MissingField, message).into());
        }
    };
    let new = NewAgent {
        login,
        description: body.description,
        default_repository: body.default_repo_name,
        standing_access: body.standing_access,
        credential: body.credential.map(Into::into),
        key: body.jwk.map(|jwk| NewKey::read(&jwk, body.proof)).transpose()?,
    };
    let agent = agents::create(&ctx, &new, &shown).await?;
    Ok(secret((StatusCode::CREATED, created(&ctx, &agent))))
}
