//! <https://docs.github.com/rest/git/blobs>

use axum::extract::{DefaultBodyLimit, Path};
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::BASE64_MIME;
use forge_service::objects;
use forge_types::node_id::ObjectNodeKind;
use forge_types::{Error, FieldCode, NodeId};
use serde::Deserialize;
use serde_json::json;

use crate::ApiState;
use crate::base64;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::place::Place;
use crate::views::Links;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/git/blobs/{file_sha}", get(get_blob))
        .route("/git/blobs", post(create_blob).layer(DefaultBodyLimit::max(base64::MAX_BODY)))
}

#[derive(Deserialize)]
struct Named {
    file_sha: String,
}

async fn get_blob(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { file_sha }): Path<Named>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (access, blob) = objects::blob(&ctx, place.target(), &file_sha).await?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(".raw") {
        let kind = [(CONTENT_TYPE, "application/vnd.github.raw; charset=utf-8")];
        return Ok((kind, blob.data).into_response());
    }
    let url = format!("repos/{}/git/blobs/{}", access.repository.full_name(), blob.id);
    let view = json!({
        "sha": blob.id,
        "node_id": NodeId::Object(ObjectNodeKind::Blob, access.repository.id, blob.id),
        "size": blob.data.len(),
        "url": Links::new(ctx.settings()).api(&url),
        "content": BASE64_MIME.encode(&blob.data).replace('\r', ""),
        "encoding": "base64",
    });
    Ok(Json(view).into_response())
}

#[derive(Deserialize)]
struct NewBlob {
    content: String,
    encoding: Option<String>,
}

async fn create_blob(Ctx(ctx): Ctx, place: Place, JsonBody(new): JsonBody<NewBlob>) -> ApiResult<Response> {
    let data = match new.encoding.as_deref().unwrap_or("utf-8") {
        "utf-8" => new.content.into_bytes(),
        "base64" => base64::decode("Blob", "content", &new.content)?,
        other => {
            let message = format!("`{other}` is no encoding of a blob: `utf-8` and `base64` are");
            return Err(Error::invalid("Blob", "encoding", FieldCode::Invalid, message).into());
        }
    };
    let (access, id) = objects::create_blob(&ctx, place.target(), data).await?;
    let path = format!("repos/{}/git/blobs/{id}", access.repository.full_name());
    let url = Links::new(ctx.settings()).api(&path);
    Ok((StatusCode::CREATED, [(LOCATION, url.clone())], Json(json!({ "sha": id, "url": url })))
        .into_response())
}
