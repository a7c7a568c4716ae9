//! The outermost layer: counts answers, adds what every answer carries, and survives a panic.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde_json::json;

use crate::net::Metrics;

const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
];

/// Only sent where a certificate that everyone trusts is at work: browsers remember it for the host.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// What has as many letters and digits in a row may be a secret.
const SECRET_LENGTH: usize = 24;

/// What the layer needs.
#[derive(Clone)]
pub(crate) struct Answers {
    metrics: Arc<Metrics>,
    is_strict: bool,
}

impl Answers {
    pub(crate) fn new(metrics: Arc<Metrics>, is_strict: bool) -> Self {
        Self { metrics, is_strict }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in HEADERS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if self.is_strict {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
        }
    }
}

/// Runs a request to its end, whatever happens inside.
pub(crate) async fn layer(State(answers): State<Answers>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let (method, path) = (shown_method(&method), shown(request.uri().path()));
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            // The path is for the operator; the caller learns nothing.
            tracing::error!(method, path, panic = message(&*panic), "a request panicked");
            internal_error()
        }
    };
    answers.add_headers(response.headers_mut());
    answers.metrics.responded(response.status());
    tracing::debug!(target: "forge::access", method, path, status = response.status().as_u16(), took = ?start.elapsed());
    response
}

/// Returns a path as the log may have it: one-time links carry their secret as a segment.
fn shown(path: &str) -> String {
    let is_secret = |segment: &str| {
        segment
            .split(|character: char| !character.is_ascii_alphanumeric())
            .any(|run| run.len() >= SECRET_LENGTH)
    };
    let segments: Vec<&str> =
        path.split('/').map(|segment| if is_secret(segment) { "…" } else { segment }).collect();
    segments.join("/")
}

/// Returns a method as the log may have it: a client can put any word in its place.
fn shown_method(method: &Method) -> &str {
    let is_known = matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
            | Method::CONNECT
            | Method::TRACE
    );
    if is_known { method.as_str() } else { "…" }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

fn internal_error() -> Response {
    let body = json!({ "message": "internal error", "documentation_url": forge_api::error::DOCUMENTATION, "status": "500" });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> &'static str {
        panic!("secret detail");
    }

    fn router(metrics: &Arc<Metrics>, is_strict: bool) -> Router {
        let framed = get(|| async { ([(header::X_FRAME_OPTIONS, "SAMEORIGIN")], "framed") });
        Router::new()
            .route("/panic", get(panics))
            .route("/framed", framed)
            .layer(from_fn_with_state(Answers::new(metrics.clone(), is_strict), layer))
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing_and_the_server_goes_on() {
        let metrics = Arc::<Metrics>::default();
        let router = router(&metrics, false);
        for _ in 0..2 {
            let request = Request::get("/panic").body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains("\"message\":\"internal error\"") && !body.contains("secret"), "{body}");
        }
        assert!(metrics.render().contains("forge_http_responses_total{class=\"5xx\"} 2"));
    }

    #[test]
    fn the_log_has_no_secret_of_a_path() {
        assert_eq!(shown("/setup/F2PeS52KcX91U1ooCImwBDsUhEZWMp6RQFY5hBqspUA"), "/setup/…");
        assert_eq!(shown("/fgep_30CharactersAndSixOfChecksum000000/x.git"), "/…/x.git");
        assert_eq!(
            shown("/api/v3/repos/octo/hello-world/issues/1"),
            "/api/v3/repos/octo/hello-world/issues/1"
        );
    }

    #[test]
    fn the_log_has_no_word_that_stands_for_a_method() {
        assert_eq!(shown_method(&Method::PATCH), "PATCH");
        assert_eq!(shown_method(&"fgep_x".parse().unwrap()), "…");
    }

    #[tokio::test]
    async fn every_answer_carries_the_headers_unless_a_room_says_otherwise() {
        for is_strict in [false, true] {
            let request = Request::get("/framed").body(Body::empty()).unwrap();
            let response = router(&Arc::default(), is_strict).oneshot(request).await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["x-frame-options"], "SAMEORIGIN");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers.contains_key("strict-transport-security"), is_strict);
        }
    }
}
