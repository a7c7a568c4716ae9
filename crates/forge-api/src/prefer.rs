//! `Prefer: respond-async` (RFC 7240 §4.1): a client that would rather hear "accepted, not done yet" than a refusal, when what it
//! asks for waits for a human. Without it the answer is 403, because many programs take any 2xx for done.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::Waiting;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How soon it makes sense to ask, in seconds: people are not faster.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("10");

/// Returns whether the client would rather be told that it has to wait.
pub(crate) fn asks_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    preferences.any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    })
}

/// Turns the refusal of what waits for a human into 202, with where to ask how it stands.
pub(crate) fn accept(response: Response) -> Response {
    let Some(Waiting(note)) = response.extensions().get::<Waiting>().cloned() else { return response };
    let Ok(location) = HeaderValue::from_str(&note.status_url) else { return response };
    let body = json!({ "message": "this waits for a human; nothing is done yet", "approval": note });
    let mut accepted = (StatusCode::ACCEPTED, Json(body)).into_response();
    let kept = [CONTENT_TYPE, CONTENT_LENGTH];
    let others = response.headers().iter().filter(|(name, _)| !kept.contains(name));
    accepted.headers_mut().extend(others.map(|(name, value)| (name.clone(), value.clone())));
    let headers = accepted.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(RETRY_AFTER, ASK_AGAIN);
    headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        let headers = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(PREFER, HeaderValue::from_static(value));
            headers
        };
        assert!(asks_async(&headers("wait=10, Respond-Async")));
        assert!(asks_async(&headers("respond-async; x=1")));
        assert!(!asks_async(&headers("wait=10")) && !asks_async(&headers("respond-asynchronously")));
        assert!(!asks_async(&HeaderMap::new()));
    }
}
