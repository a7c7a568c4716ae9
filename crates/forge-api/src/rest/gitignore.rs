//! <https://docs.github.com/rest/gitignore/gitignore>

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::templates::{gitignore, gitignores};
use forge_types::Error;
use serde_json::json;

use crate::ApiState;
use crate::error::ApiResult;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/gitignore/templates", get(get_all_templates))
        .route("/gitignore/templates/{name}", get(get_template))
}

async fn get_all_templates() -> Json<Vec<&'static str>> {
    Json(gitignores().collect())
}

async fn get_template(Path(name): Path<String>, headers: HeaderMap) -> ApiResult<Response> {
    let (name, source) = gitignore(&name).ok_or_else(Error::not_found)?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(".raw") {
        return Ok(([(CONTENT_TYPE, "application/vnd.github.raw; charset=utf-8")], source).into_response());
    }
    Ok(Json(json!({ "name": name, "source": source })).into_response())
}
