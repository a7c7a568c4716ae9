//! Errors as GitHub's REST API writes them. Every kind is mapped here, without a wildcard.

use axum::Json;
use axum::http::header::{HeaderName, HeaderValue, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use forge_service::proof;
use forge_types::approval::ApprovalNote;
use forge_types::{Error, ErrorKind, FieldError, Withheld};
use serde_json::{Value, json};

/// Where answers about errors send their reader.
pub const DOCUMENTATION: &str = "https://docs.github.com/rest";

/// The header that names the scopes of which one would have been enough.
pub const ACCEPTED_SCOPES: HeaderName = HeaderName::from_static("x-accepted-oauth-scopes");

/// The result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// An error on its way to the caller.
#[derive(Debug)]
pub struct ApiError(pub Error);

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = self.0;
        log(&error);
        let mut headers = HeaderMap::new();
        let status = status(error.kind(), &mut headers);
        let mut body = json!({
            "message": error.message(),
            "code": error.kind().code(),
            "documentation_url": DOCUMENTATION,
            "status": status.as_str(),
        });
        if let ErrorKind::Invalid(fields) = error.kind()
            && !fields.is_empty()
        {
            body["errors"] = fields.iter().map(field).collect();
        }
        if let ErrorKind::ApprovalRequired(note) = error.kind() {
            body["approval"] = json!(note);
        }
        let mut response = (status, headers, Json(body)).into_response();
        if let ErrorKind::ApprovalRequired(note) = error.kind() {
            response.extensions_mut().insert(Waiting(note.clone()));
        }
        response
    }
}

fn status(kind: &ErrorKind, headers: &mut HeaderMap) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"forge\""));
            if let Ok(value) = HeaderValue::from_str(&proof::challenge(None)) {
                headers.append(WWW_AUTHENTICATE, value);
            }
            StatusCode::UNAUTHORIZED
        }
        ErrorKind::Unproved(problem) => {
            insert(headers, WWW_AUTHENTICATE, &proof::challenge(Some(*problem)));
            StatusCode::UNAUTHORIZED
        }
        ErrorKind::Withheld(Withheld::StrongerAuthentication) => {
            // RFC 9470 §3.
            let challenge = "Bearer error=\"insufficient_user_authentication\", \
                             error_description=\"a token bound to a key, or a recent sign-in, is needed\"";
            insert(headers, WWW_AUTHENTICATE, challenge);
            if let Ok(value) = HeaderValue::from_str(&proof::challenge(None)) {
                headers.append(WWW_AUTHENTICATE, value);
            }
            StatusCode::UNAUTHORIZED
        }
        ErrorKind::Forbidden | ErrorKind::Withheld(Withheld::ReadOnly | Withheld::ReviewNeeded) => {
            StatusCode::FORBIDDEN
        }
        ErrorKind::ApprovalRequired(note) => {
            insert(headers, LINK, &format!("<{}>; rel=\"approval\"", note.status_url));
            StatusCode::FORBIDDEN
        }
        ErrorKind::InsufficientScope(scopes) => {
            let scopes = scopes.join(", ");
            let challenge =
                format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes.replace(", ", " "));
            insert(headers, WWW_AUTHENTICATE, &challenge);
            insert(headers, ACCEPTED_SCOPES, &scopes);
            StatusCode::FORBIDDEN
        }
        ErrorKind::Malformed => StatusCode::BAD_REQUEST,
        ErrorKind::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Conflict | ErrorKind::Stale => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::RateLimited(after) => {
            insert(headers, RETRY_AFTER, &after.as_secs().max(1).to_string());
            StatusCode::TOO_MANY_REQUESTS
        }
        ErrorKind::Unavailable(after) => {
            insert(headers, RETRY_AFTER, &after.as_secs().max(1).to_string());
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn field(error: &FieldError) -> Value {
    let mut body = json!({ "resource": error.resource, "field": error.field, "code": error.code.as_str() });
    if let Some(message) = &error.message {
        body["message"] = Value::from(message.as_str());
    }
    body
}

/// Tells the operator what the caller is not told.
fn log(error: &Error) {
    if let Some(source) = std::error::Error::source(error) {
        tracing::error!(kind = ?error.kind(), cause = %source, "request failed");
    }
}

/// Says, to whoever holds the answer in this process, that what was asked for waits for a human, and for which approval.
#[derive(Clone, Debug)]
pub(crate) struct Waiting(pub(crate) Box<ApprovalNote>);

/// Says, to whoever holds the answer in this process, that no route led to it; on the wire nothing tells.
#[derive(Clone, Copy, Debug)]
pub struct NoRoute;

/// Answers for routes and methods that do not exist, alike.
pub async fn unknown_route() -> Response {
    let mut response = ApiError(Error::not_found()).into_response();
    response.extensions_mut().insert(NoRoute);
    response
}
