//! A call of an endpoint: who calls, with what parameters, and how the answer is to be written.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use forge_auth::messages::{ClientAuthentication, Encoding, GITHUB_CLI, OAuthError, Parameters};
use forge_service::Secret;
use forge_service::proof::Shown;
use forge_service::{RequestContext, Surface, authenticate};

use super::reply::Reply;
use crate::ApiState;
use crate::layer::info;
use crate::proof;

/// A call of an endpoint.
pub(super) struct Call {
    /// The request.
    pub(super) ctx: RequestContext,
    /// What stands in the header after `Basic`.
    pub(super) basic: Option<String>,
    /// The parameters of the body.
    pub(super) parameters: Parameters,
    /// What it shows of proofs of possession.
    pub(super) shown: Shown,
    accept: String,
}

enum Authorization {
    None,
    Basic(String),
    Token(Secret),
    Proved(Secret),
}

impl Call {
    /// Reads a call by a client, which says who it is as OAuth has it.
    pub(super) async fn read(state: &ApiState, request: Request) -> Result<Self, Reply> {
        let info = info(&state.app, &request, Surface::OAuth);
        let ctx = authenticate::anonymous(&state.app, info);
        let accept = accepted(request.headers());
        let fail = |ctx: &RequestContext, error| Reply::early(ctx, &accept, error);
        let basic = match authorization(request.headers()) {
            Ok(Authorization::Basic(encoded)) => Some(encoded),
            Ok(Authorization::None | Authorization::Token(_) | Authorization::Proved(_)) => None,
            Err(error) => return Err(fail(&ctx, error)),
        };
        let shown = proof::shown(&request);
        match parameters(request).await {
            Ok(parameters) => Ok(Self { ctx, basic, parameters, shown, accept }),
            Err(error) => Err(fail(&ctx, error)),
        }
    }

    /// Reads a call that an account may make too, with its token.
    pub(super) async fn read_as_caller(state: &ApiState, request: Request) -> Result<Self, Reply> {
        let presented = authorization(request.headers());
        let mut call = Self::read(state, request).await?;
        let (app, info) = (&state.app, call.ctx.info().clone());
        let ctx = match presented {
            Ok(Authorization::Token(token)) => authenticate::with_token(app, &token, info).await,
            Ok(Authorization::Proved(token)) => {
                authenticate::with_proof(app, &token, &call.shown, info).await
            }
            Ok(Authorization::None | Authorization::Basic(_)) | Err(_) => return Ok(call),
        };
        match ctx {
            Ok(ctx) => call.ctx = ctx,
            Err(_) => return Err(Reply::error(&call, OAuthError::invalid_client())),
        }
        Ok(call)
    }

    /// Returns what the client says of itself.
    pub(super) fn client(&self) -> Result<ClientAuthentication, OAuthError> {
        ClientAuthentication::read(self.basic.as_deref(), &self.parameters)
    }

    /// Returns whether this is GitHub's own client, which is answered as GitHub answers it.
    pub(super) fn is_github_cli(&self) -> bool {
        self.parameters.find("client_id") == Some(GITHUB_CLI)
    }

    /// Returns how to write the answer. GitHub's default is a form, the standard's is JSON.
    pub(super) fn encoding(&self) -> Encoding {
        let fallback = if self.is_github_cli() { Encoding::Form } else { Encoding::Json };
        Encoding::choose(&self.accept, fallback)
    }
}

fn accepted(headers: &HeaderMap) -> String {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn authorization(headers: &HeaderMap) -> Result<Authorization, OAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(Authorization::None) };
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("more than one `Authorization` header"));
    }
    let text = value.to_str().map_err(|_| OAuthError::invalid_client())?;
    let (scheme, rest) = text.trim().split_once(' ').ok_or_else(OAuthError::invalid_client)?;
    let rest = rest.trim().to_owned();
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Ok(Authorization::Basic(rest)),
        "bearer" | "token" => Ok(Authorization::Token(Secret::new(rest))),
        "dpop" => Ok(Authorization::Proved(Secret::new(rest))),
        _ => Err(OAuthError::invalid_client()),
    }
}

async fn parameters(request: Request) -> Result<Parameters, OAuthError> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let content_type = content_type.trim().to_ascii_lowercase();
    let unreadable = || OAuthError::invalid_request("the body is too large or unreadable");
    let bytes = Bytes::from_request(request, &()).await.map_err(|_| unreadable())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
    match content_type.as_str() {
        "application/json" => Parameters::from_json(text),
        "application/x-www-form-urlencoded" => Parameters::from_form(text),
        "" if text.is_empty() => Ok(Parameters::default()),
        _ => Err(OAuthError::invalid_request("the body is neither a form nor JSON")),
    }
}
