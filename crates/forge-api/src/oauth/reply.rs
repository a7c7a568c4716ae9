//! Answers of the authorization server.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use forge_auth::messages::{Answer, Encoding, OAuthCode, OAuthError};
use forge_service::RequestContext;
use serde_json::Value;

use super::call::Call;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-github-request-id");

/// An answer, ready to be written.
pub(super) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    encoding: Encoding,
    members: Vec<(&'static str, Value)>,
}

impl Reply {
    /// Answers a call.
    pub(super) fn new(call: &Call, answer: Result<impl Answer, OAuthError>) -> Self {
        match answer {
            Ok(answer) => Self {
                status: StatusCode::OK,
                headers: headers(&call.ctx),
                encoding: call.encoding(),
                members: answer.members(),
            },
            Err(error) => Self::github_error(call, error),
        }
    }

    /// Returns the same with another status.
    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Answers a call with an error.
    pub(super) fn error(call: &Call, error: OAuthError) -> Self {
        Self::failed(&call.ctx, call.encoding(), error)
    }

    /// GitHub answers its own client with 200 whatever went wrong, and that client takes some other statuses for a forge
    /// without a device flow. A client that sends proofs is not that one, whatever it calls itself.
    fn github_error(call: &Call, error: OAuthError) -> Self {
        let mut reply = Self::error(call, error);
        if call.is_github_cli() && call.shown.proofs.is_empty() && reply.status.is_client_error() {
            reply.status = StatusCode::OK;
            reply.headers.remove(WWW_AUTHENTICATE);
        }
        reply
    }

    /// Answers a call that could not be read.
    pub(super) fn early(ctx: &RequestContext, accept: &str, error: OAuthError) -> Self {
        Self::failed(ctx, Encoding::choose(accept, Encoding::Json), error)
    }

    #[expect(clippy::needless_pass_by_value, reason = "an error that was answered is over")]
    fn failed(ctx: &RequestContext, encoding: Encoding, error: OAuthError) -> Self {
        if let Some(cause) = error.source.as_deref().and_then(std::error::Error::source) {
            tracing::error!(code = error.code.as_str(), %cause, "OAuth request failed");
        }
        let mut headers = headers(ctx);
        if error.code == OAuthCode::InvalidClient {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"forge\""));
        }
        if let Some(after) = error.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers, encoding, members: error.members() }
    }
}

impl IntoResponse for Reply {
    fn into_response(mut self) -> Response {
        let content_type = HeaderValue::from_static(self.encoding.content_type());
        self.headers.insert(CONTENT_TYPE, content_type);
        (self.status, self.headers, self.encoding.write(self.members)).into_response()
    }
}

/// Answers with nothing but success.
pub(super) fn empty(call: &Call) -> Response {
    (StatusCode::OK, headers(&call.ctx), Body::empty()).into_response()
}

/// Answers with JSON, whatever the call accepts.
pub(super) fn json(call: &Call, body: String) -> Response {
    let mut headers = headers(&call.ctx);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(Encoding::Json.content_type()));
    (StatusCode::OK, headers, body).into_response()
}

fn headers(ctx: &RequestContext) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&ctx.info().id.0) {
        headers.insert(REQUEST_ID, id);
    }
    headers
}
