//! One's own tokens: listed without their values, created with the value shown once, revoked.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::Secret;
use forge_service::credentials::{self, TokenRequest};
use forge_types::credential::Credential;
use forge_types::id::CredentialId;
use forge_types::{Error, FieldCode, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user/tokens", get(list).post(create).delete(revoke_named))
        .route("/user/tokens/{id}", delete(revoke))
}

/// A token as its owner sees it.
#[derive(Serialize)]
struct TokenView {
    id: CredentialId,
    name: String,
    kind: &'static str,
    /// None when it is limited to nothing.
    scopes: Option<Vec<&'static str>>,
    client_id: Option<String>,
    tail: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    /// Whether it is the one this was asked with.
    is_current: bool,
    /// The value, in the answer that creates it and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl TokenView {
    fn new(ctx: &RequestContext, credential: Credential, value: Option<&Secret>) -> Self {
        let current = ctx.caller().credential.as_ref().map(|current| current.id);
        Self {
            is_current: current == Some(credential.id),
            id: credential.id,
            name: credential.name,
            kind: credential.kind.as_str(),
            scopes: credential.scopes.map(|scopes| scopes.iter().map(forge_types::Scope::as_str).collect()),
            client_id: credential.client_id,
            tail: credential.tail,
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used_at: credential.last_used_at,
            token: value.map(|value| value.expose().to_owned()),
        }
    }
}

async fn list(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = credentials::list(&ctx, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|credential| TokenView::new(&ctx, credential, None))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    scopes: Option<ScopeNames>,
    expires_at: Option<String>,
}

/// `["repo", "read:org"]` or `"repo,read:org"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScopeNames {
    List(Vec<String>),
    Text(String),
}

async fn create(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Create>) -> ApiResult<Response> {
    let invalid = |field, message: String| Error::invalid("Token", field, FieldCode::Invalid, message);
    let scopes = body.scopes.map(|names| match names {
        ScopeNames::List(names) => names.join(","),
        ScopeNames::Text(text) => text,
    });
    let scopes = scopes
        .map(|text| Scopes::parse(&text))
        .transpose()
        .map_err(|name| invalid("scopes", format!("`{name}` is not a scope")))?;
    let read = |text: &String| {
        Timestamp::parse(text)
            .ok_or_else(|| invalid("expires_at", "expires_at must be an RFC 3339 time".into()))
    };
    let expires_at = body.expires_at.as_ref().map(read).transpose()?;
    let request = TokenRequest { name: body.name, scopes, expires_at };
    let (secret, credential) = credentials::create(&ctx, &request).await?;
    Ok(super::secret((StatusCode::CREATED, Json(TokenView::new(&ctx, credential, Some(&secret))))))
}

async fn revoke(Ctx(ctx): Ctx, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let id = id.parse().map(CredentialId).map_err(|_| Error::not_found())?;
    credentials::revoke(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(alias = "token_id")]
    id: Option<CredentialId>,
    token: Option<String>,
}

async fn revoke_named(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Named>) -> ApiResult<StatusCode> {
    match (body.id, body.token) {
        (Some(id), None) => credentials::revoke(&ctx, id).await?,
        (None, Some(value)) => credentials::revoke_value(&ctx, &Secret::new(value)).await?,
        (None, None) | (Some(_), Some(_)) => {
            let message = "exactly one of `id` and `token` must be given";
            return Err(Error::invalid("Token", "id", FieldCode::MissingField, message).into());
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
