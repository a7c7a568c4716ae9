//! Registration of an agent by itself.

use axum::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents::{self, NewKey, Registration};
use serde::Deserialize;
use serde_json::Value;

use super::views::{CredentialName, created};
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::layer::{KeyProof, Presented};
use crate::rest::ext::secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    prefix_login: String,
    default_repo_name: String,
    description: Option<String>,
    credential: Option<CredentialName>,
    jwk: Option<Value>,
    proof: Option<String>,
}

pub(super) async fn register(
    Ctx(ctx): Ctx,
    Extension(Presented(presented)): Extension<Presented>,
    Extension(KeyProof(shown)): Extension<KeyProof>,
    JsonBody(body): JsonBody<Body>,
) -> ApiResult<Response> {
    let registration = Registration {
        prefix_login: body.prefix_login,
        default_repo_name: body.default_repo_name,
        description: body.description,
        credential: body.credential.map(Into::into),
        key: body.jwk.map(|jwk| NewKey::read(&jwk, body.proof)).transpose()?,
    };
    let agent = agents::register(&ctx, presented.as_ref(), &registration, &shown).await?;
    Ok(secret((StatusCode::CREATED, created(&ctx, &agent))))
}
