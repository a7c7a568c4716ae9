//! Conditional requests: a tag for every JSON answer to `GET`, and 304 when the client has it already.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use forge_types::Error;
use sha2::{Digest, Sha256};

use crate::MAX_JSON_BODY;
use crate::error::ApiError;

/// Larger answers have no tag.
const MAX_TAGGED: usize = 4 * MAX_JSON_BODY;

/// Tags answers and leaves out bodies the client has.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if is_read && response.status() == StatusCode::OK && is_json(&response) && is_small(&response) {
        tagged(response, known.as_ref()).await
    } else {
        response
    }
}

fn is_json(response: &Response) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("application/json"))
}

/// The bytes of a large file go out as they are.
fn is_small(response: &Response) -> bool {
    response.body().size_hint().lower() <= MAX_TAGGED as u64
}

async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_TAGGED).await else {
        return ApiError(Error::internal("an answer was too large to tag")).into_response();
    };
    let tag = format!("W/\"{}\"", HEXLOWER.encode(&Sha256::digest(&bytes)));
    let matches = known.and_then(|value| value.to_str().ok()).is_some_and(|known| lists(known, &tag));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, value);
    }
    if matches {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Compares weakly, as RFC 9110 §13.1.2 asks of `If-None-Match`.
fn lists(known: &str, tag: &str) -> bool {
    let bare = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    known.split(',').any(|one| one.trim() == "*" || bare(one) == bare(tag))
}
