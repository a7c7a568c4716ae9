//! Answers as `git` reads them: streams, and errors in plain text, which it prints behind `remote: `.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderValue, LOCATION, PRAGMA, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use axum::response::{IntoResponse, Response};
use forge_service::git::{FetchAnswer, PushAnswer};
use forge_service::proof;
use forge_types::{Error, ErrorKind};
use futures_util::stream;

/// What git understands.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"forge\", charset=\"UTF-8\"");

/// The result of a handler.
pub(super) type GitResult<T> = Result<T, GitError>;

/// An error on its way to `git`.
#[derive(Debug)]
pub(super) struct GitError(pub(super) Error);

impl From<Error> for GitError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for GitError {
    fn into_response(self) -> Response {
        let error = self.0;
        if let Some(cause) = std::error::Error::source(&error) {
            tracing::error!(kind = ?error.kind(), %cause, "request failed");
        }
        let mut headers = HeaderMap::new();
        let status = status(error.kind(), &mut headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        let text = match error.kind() {
            ErrorKind::NotFound => "Repository not found.".to_owned(),
            ErrorKind::Unauthenticated => "Authentication is required.".to_owned(),
            _ => error.message().to_owned(),
        };
        uncached((status, headers, format!("{text}\n")).into_response())
    }
}

fn status(kind: &ErrorKind, headers: &mut HeaderMap) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, BASIC);
            StatusCode::UNAUTHORIZED
        }
        // For who signs on behalf of git: what is wrong with the proof, such as that it has to repeat a nonce.
        ErrorKind::Unproved(problem) => {
            headers.insert(WWW_AUTHENTICATE, BASIC);
            if let Ok(value) = HeaderValue::from_str(&proof::challenge(Some(*problem))) {
                headers.append(WWW_AUTHENTICATE, value);
            }
            StatusCode::UNAUTHORIZED
        }
        // A new password would not help: git has no way to prove more.
        ErrorKind::Forbidden
        | ErrorKind::ApprovalRequired(_)
        | ErrorKind::Withheld(_)
        | ErrorKind::InsufficientScope(_) => StatusCode::FORBIDDEN,
        ErrorKind::Malformed => StatusCode::BAD_REQUEST,
        ErrorKind::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Conflict | ErrorKind::Stale => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::RateLimited(after) => {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
            StatusCode::TOO_MANY_REQUESTS
        }
        ErrorKind::Unavailable(after) => {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Marks an answer as `git` expects: nothing between client and server may keep it.
fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate"));
    headers.insert(EXPIRES, HeaderValue::from_static("Fri, 01 Jan 1980 00:00:00 GMT"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Returns an answer that is known whole.
pub(super) fn whole(media_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    if let Ok(value) = HeaderValue::from_str(media_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    uncached(response)
}

/// Sends a client to another place.
pub(super) fn redirect(location: &str) -> Response {
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, value);
    }
    uncached(response)
}

/// Returns the answer to a fetch as it comes; an error in the middle breaks the connection off.
pub(super) fn fetch(answer: FetchAnswer) -> Response {
    pieces(answer, "application/x-git-upload-pack-result")
}

/// Returns a bundle as it comes.
pub(super) fn bundle(answer: FetchAnswer) -> Response {
    pieces(answer, "application/x-git-bundle")
}

fn pieces(answer: FetchAnswer, media_type: &str) -> Response {
    let body = match answer {
        FetchAnswer::Whole(bytes) => Body::from(bytes),
        pieces @ (FetchAnswer::Pack(_) | FetchAnswer::Kept(..)) => {
            Body::from_stream(stream::unfold(pieces, async |mut pieces| {
                let piece = pieces.next().await?;
                Some((piece, pieces))
            }))
        }
    };
    whole(media_type, body)
}

/// Returns the answer to a push as it comes. The status waits for the first bytes: before, the client still sends.
pub(super) async fn push(mut answer: PushAnswer) -> Response {
    let first = answer.next().await;
    // Each piece goes out as it comes, not with the one after it: that may be a human's decision later.
    let body = Body::from_stream(stream::unfold((first, answer), async |(first, mut answer)| {
        let piece: Bytes = match first {
            Some(first) => first,
            None => answer.next().await?,
        };
        Some((Ok::<_, Infallible>(piece), (None, answer)))
    }));
    whole("application/x-git-receive-pack-result", body)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn each_piece_of_an_answer_to_a_push_goes_out_before_the_next_is_there() {
        let (to, pieces) = mpsc::channel(4);
        to.send(Bytes::from_static(b"one")).await.unwrap();
        let mut body = push(PushAnswer::from(pieces)).await.into_body();
        for text in ["one", "two"] {
            if text == "two" {
                to.send(Bytes::from_static(b"two")).await.unwrap();
            }
            let frame = tokio::time::timeout(std::time::Duration::from_secs(30), body.frame()).await;
            let frame = frame.expect("it waits for more").unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), text);
        }
        drop(to);
        assert!(body.frame().await.is_none());
    }
}
