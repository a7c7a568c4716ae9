//! The endpoints of the authorization server that programs call. Those that people see are pages and stand elsewhere.
//!
//! Rules of this room: parameters come from the body alone, never from the URL; no answer is stored by anyone; errors
//! are written as OAuth has them, and to GitHub's own client as GitHub does.

mod call;
mod reply;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use forge_auth::messages::{DeviceRequest, PushedRequest, TokenRequest, TokenToCheck, metadata};
use forge_service::oauth;
use forge_service::proof::Audience;

use crate::{ApiState, proof};
use call::Call;
use reply::{Reply, empty, json};

const LARGEST_BODY: usize = 64 * 1024;

/// Returns the endpoints, at the root of the host.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/login/device/code", post(device_code))
        .route("/login/oauth/access_token", post(access_token))
        .route("/login/oauth/par", post(push))
        .route("/login/oauth/revoke", post(revoke))
        .route("/login/oauth/introspect", post(introspect))
        .route("/.well-known/oauth-authorization-server", get(describe))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn device_code(State(state): State<ApiState>, request: Request) -> Response {
    let call = match Call::read(&state, request).await {
        Ok(call) => call,
        Err(reply) => return reply.into_response(),
    };
    let answer = match DeviceRequest::read(call.basic.as_deref(), &call.parameters) {
        Ok(request) => oauth::device::begin(&call.ctx, &request).await,
        Err(error) => Err(error),
    };
    Reply::new(&call, answer).into_response()
}

async fn push(State(state): State<ApiState>, request: Request) -> Response {
    let call = match Call::read(&state, request).await {
        Ok(call) => call,
        Err(reply) => return reply.into_response(),
    };
    let answer = match PushedRequest::read(call.basic.as_deref(), &call.parameters) {
        Ok(request) => oauth::pushed::push(&call.ctx, &request).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => Reply::new(&call, Ok(answer)).with_status(StatusCode::CREATED).into_response(),
        Err(error) => Reply::error(&call, error).into_response(),
    }
}

async fn access_token(State(state): State<ApiState>, request: Request) -> Response {
    let call = match Call::read(&state, request).await {
        Ok(call) => call,
        Err(reply) => return reply.into_response(),
    };
    let shown = (!call.shown.proofs.is_empty()).then_some(&call.shown);
    let answer = match (call.client(), TokenRequest::read(&call.parameters)) {
        (Ok(client), Ok(request)) => oauth::token(&call.ctx, &client, &request, shown).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    let mut response = Reply::new(&call, answer).into_response();
    if shown.is_some() {
        proof::add_nonce(response.headers_mut(), &state.app, Audience::TokenEndpoint);
    }
    response
}

async fn revoke(State(state): State<ApiState>, request: Request) -> Response {
    let call = match Call::read(&state, request).await {
        Ok(call) => call,
        Err(reply) => return reply.into_response(),
    };
    let answer = match TokenToCheck::read(call.basic.as_deref(), &call.parameters) {
        Ok(request) => oauth::revoke(&call.ctx, &request).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(()) => empty(&call),
        Err(error) => Reply::error(&call, error).into_response(),
    }
}

async fn introspect(State(state): State<ApiState>, request: Request) -> Response {
    let call = match Call::read_as_caller(&state, request).await {
        Ok(call) => call,
        Err(reply) => return reply.into_response(),
    };
    let answer = match TokenToCheck::read(call.basic.as_deref(), &call.parameters) {
        Ok(request) => oauth::introspect(&call.ctx, &request).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => json(&call, answer.to_json()),
        Err(error) => Reply::error(&call, error).into_response(),
    }
}

async fn describe(State(state): State<ApiState>) -> Response {
    let settings = state.app.settings();
    let issuer = settings.origin.as_str().trim_end_matches('/');
    let mutual = settings.mutual_origin.as_ref().map(|origin| origin.as_str().trim_end_matches('/'));
    let cache = (CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    (StatusCode::OK, [cache], axum::Json(metadata(issuer, mutual))).into_response()
}
