//! Errors as pages. Every kind is mapped here, without a wildcard.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use forge_types::{Error, ErrorKind, Withheld};
use maud::html;

use crate::layout;

/// An error on its way to a person.
#[derive(Debug)]
pub struct WebError(pub Error);

impl From<Error> for WebError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, title) = describe(self.0.kind());
        if let Some(cause) = std::error::Error::source(&self.0) {
            tracing::error!(kind = ?self.0.kind(), %cause, "page failed");
        }
        let mut headers = HeaderMap::new();
        if let ErrorKind::RateLimited(after) | ErrorKind::Unavailable(after) = self.0.kind() {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        let message = sentence(&message(&self.0));
        let page = layout::bare(title, &html! { p { (message) } p { a href="/" { "Home" } } });
        let mut response = (status, headers, page).into_response();
        response.extensions_mut().insert(Failed { title, message });
        response
    }
}

/// What a page about an error says, for whoever knows the browser and can say it with what every page has.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) title: &'static str,
    pub(crate) message: String,
}

/// Returns the status and the title.
pub(crate) fn describe(kind: &ErrorKind) -> (StatusCode, &'static str) {
    match kind {
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "Not found"),
        ErrorKind::Unauthenticated | ErrorKind::Unproved(_) => (StatusCode::UNAUTHORIZED, "Sign in first"),
        ErrorKind::Withheld(Withheld::StrongerAuthentication) => (StatusCode::UNAUTHORIZED, "Sign in again"),
        ErrorKind::Forbidden
        | ErrorKind::ApprovalRequired(_)
        | ErrorKind::Withheld(_)
        | ErrorKind::InsufficientScope(_) => (StatusCode::FORBIDDEN, "Not allowed"),
        ErrorKind::Malformed => (StatusCode::BAD_REQUEST, "This request makes no sense"),
        ErrorKind::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "There is a problem"),
        ErrorKind::Conflict | ErrorKind::Stale => (StatusCode::CONFLICT, "There is a problem"),
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
        ErrorKind::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts"),
        ErrorKind::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not available right now"),
        ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
    }
}

/// Returns what a person is told.
pub(crate) fn message(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is nothing here, or it is no longer valid".to_owned(),
        ErrorKind::Invalid(fields) => fields
            .iter()
            .find_map(|field| field.message.clone())
            .unwrap_or_else(|| error.message().to_owned()),
        ErrorKind::Unauthenticated
        | ErrorKind::Unproved(_)
        | ErrorKind::Forbidden
        | ErrorKind::ApprovalRequired(_)
        | ErrorKind::Withheld(_)
        | ErrorKind::InsufficientScope(_)
        | ErrorKind::Malformed
        | ErrorKind::Conflict
        | ErrorKind::Stale
        | ErrorKind::TooLarge
        | ErrorKind::RateLimited(_)
        | ErrorKind::Unavailable(_)
        | ErrorKind::Internal => error.message().to_owned(),
    }
}

/// Turns one of our messages into a sentence.
#[must_use]
pub fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

/// What is wrong with a form: the field, if it is one, and a sentence.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The id of the field.
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// What is wrong with a form, if a person can put it right there; other errors come back.
///
/// # Errors
/// Errors that the form cannot show.
pub fn problems(error: Error) -> Result<(StatusCode, Vec<Problem>), WebError> {
    let (status, _) = describe(error.kind());
    match error.kind() {
        ErrorKind::Invalid(fields) if !fields.is_empty() => {
            let problem = |field: &forge_types::FieldError| Problem {
                field: Some(field.field.to_owned()),
                message: sentence(field.message.as_deref().unwrap_or("this is not valid")),
            };
            Ok((status, fields.iter().map(problem).collect()))
        }
        ErrorKind::Invalid(_)
        | ErrorKind::Unauthenticated
        | ErrorKind::Conflict
        | ErrorKind::Stale
        | ErrorKind::RateLimited(_)
        | ErrorKind::Unavailable(_) => {
            let status = if *error.kind() == ErrorKind::Unauthenticated {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                status
            };
            Ok((status, vec![Problem { field: None, message: sentence(&message(&error)) }]))
        }
        ErrorKind::NotFound
        | ErrorKind::Unproved(_)
        | ErrorKind::Forbidden
        | ErrorKind::ApprovalRequired(_)
        | ErrorKind::Withheld(_)
        | ErrorKind::InsufficientScope(_)
        | ErrorKind::Malformed
        | ErrorKind::TooLarge
        | ErrorKind::Internal => Err(WebError(error)),
    }
}
