//! OAuth clients, for site administrators.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get};
use axum::{Json, Router};
use forge_service::oauth::clients::{self, ClientRequest, OAuthClient};
use forge_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/admin/oauth-clients", get(list).post(register))
        .route("/admin/oauth-clients/{client_id}", delete(remove))
}

#[derive(Serialize)]
struct ClientView {
    client_id: String,
    name: String,
    homepage: Option<String>,
    is_confidential: bool,
    is_builtin: bool,
    redirect_uris: Vec<String>,
    allows_device: bool,
    created_at: Timestamp,
    /// The secret, in the answer that creates it and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl From<OAuthClient> for ClientView {
    fn from(client: OAuthClient) -> Self {
        Self {
            client_id: client.client_id,
            name: client.name,
            homepage: client.homepage,
            is_confidential: !client.is_public,
            is_builtin: client.is_builtin,
            redirect_uris: client.redirect_uris,
            allows_device: client.allows_device,
            created_at: client.created_at,
            client_secret: None,
        }
    }
}

async fn list(Ctx(ctx): Ctx) -> ApiResult<Json<Vec<ClientView>>> {
    let found = clients::list(&ctx).await?;
    Ok(Json(found.into_iter().map(ClientView::from).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    name: String,
    homepage: Option<String>,
    #[serde(default)]
    is_confidential: bool,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    allows_device: bool,
}

async fn register(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Register>) -> ApiResult<Response> {
    let request = ClientRequest {
        name: body.name,
        homepage: body.homepage,
        is_confidential: body.is_confidential,
        redirect_uris: body.redirect_uris,
        allows_device: body.allows_device,
    };
    let (client, secret) = clients::register(&ctx, &request).await?;
    let client_secret = secret.map(|secret| secret.expose().to_owned());
    let view = ClientView { client_secret, ..ClientView::from(client) };
    Ok(super::secret((StatusCode::CREATED, Json(view))))
}

async fn remove(Ctx(ctx): Ctx, Path(client_id): Path<String>) -> ApiResult<StatusCode> {
    clients::remove(&ctx, &client_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
