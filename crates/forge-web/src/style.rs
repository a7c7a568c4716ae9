//! The one stylesheet.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::WebState;

const STYLESHEET: &str = include_str!("assets/forge.css");

/// Where it is; the number changes with its content, so that browsers may keep it.
pub(crate) const PATH: &str = "/assets/forge-5.css";

pub(crate) fn routes() -> Router<WebState> {
    Router::new().route(PATH, get(stylesheet))
}

async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLESHEET)
}
