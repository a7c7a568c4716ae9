//! Registration of an agent by itself.

use axum::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents::{self, Registration};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::views::{CredentialName, created, no_keys};
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::layer::Presented;
use crate::rest::ext::secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    prefix_login: String,
    default_repo_name: String,
    description: Option<String>,
    credential: Option<CredentialName>,
    jwk: Option<IgnoredAny>,
}

pub(super) async fn register(
    Ctx(ctx): Ctx,
    Extension(Presented(presented)): Extension<Presented>,
    JsonBody(body): JsonBody<Body>,
) -> ApiResult<Response> {
    no_keys(body.jwk.as_ref())?;
    let registration = Registration {
        prefix_login: body.prefix_login,
        default_repo_name: body.default_repo_name,
        description: body.description,
        credential: body.credential.map(Into::into),
    };
    let agent = agents::register(&ctx, presented.as_ref(), &registration).await?;
    Ok(secret((StatusCode::CREATED, created(&ctx, &agent))))
}
