//! The listener for operators: is it alive, is it ready, what has it done.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::Metrics;

/// How long readiness may take to find out.
const PATIENCE: Duration = Duration::from_secs(2);

type Readiness = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Answers operators.
#[derive(Clone)]
pub struct Ops {
    metrics: Arc<Metrics>,
    is_ready: Arc<dyn Fn() -> Readiness + Send + Sync>,
}

impl Ops {
    /// Answers from the metrics, and by asking whether the server can do its work.
    pub fn new<F, R>(metrics: Arc<Metrics>, is_ready: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { metrics, is_ready: Arc::new(move || Box::pin(is_ready())) }
    }

    /// Returns the routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

async fn readyz(State(ops): State<Ops>) -> (StatusCode, String) {
    match tokio::time::timeout(PATIENCE, (ops.is_ready)()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n".into()),
        Ok(Err(reason)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "no answer in time\n".into()),
    }
}

async fn metrics(State(ops): State<Ops>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], ops.metrics.render())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(ops: Ops, path: &str) -> (StatusCode, String) {
        let response = ops.router().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_server_without_its_database_is_alive_but_not_ready() {
        let ops = Ops::new(Arc::default(), || async { Err("database: away".to_owned()) });
        assert_eq!(ask(ops.clone(), "/healthz").await.0, StatusCode::OK);
        assert_eq!(
            ask(ops.clone(), "/readyz").await,
            (StatusCode::SERVICE_UNAVAILABLE, "database: away\n".into())
        );
        assert!(ask(ops, "/metrics").await.1.contains("forge_build_info{version="));
    }

    #[tokio::test]
    async fn a_server_with_everything_is_ready() {
        let ops = Ops::new(Arc::default(), || async { Ok(()) });
        assert_eq!(ask(ops, "/readyz").await.0, StatusCode::OK);
    }
}
