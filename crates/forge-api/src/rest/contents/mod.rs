//! <https://docs.github.com/rest/repos/contents>: reading here, changing in [`write`].
//!
//! The answer follows `Accept`: `raw` is the file itself, `object` describes a directory as one object, all else is
//! GitHub's usual form. Files over 1 MB are described without their content, as there.

mod write;

use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use data_encoding::BASE64_MIME;
use forge_service::repositories::{self, Content, ContentBody, ContentEntry, ContentKind};
use forge_types::repository::Repository;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::place::Place;
use crate::ApiState;
use crate::base64::MAX_BODY;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::views::{Links, in_path};

/// The largest file whose content stands in the description.
const MAX_INLINE: u64 = 1024 * 1024;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/contents", get(get_root))
        .route("/contents/", get(get_root))
        .route(
            "/contents/{*path}",
            get(get_content)
                .put(write::put_content)
                .delete(write::delete_content)
                .layer(DefaultBodyLimit::max(MAX_BODY)),
        )
        .route("/readme", get(get_readme))
        .route("/readme/{*dir}", get(get_readme_in_directory))
}

#[derive(Deserialize)]
struct At {
    r#ref: Option<String>,
}

#[derive(Deserialize)]
struct InDirectory {
    dir: String,
}

#[derive(Deserialize)]
struct OfPath {
    path: String,
}

async fn get_root(
    Ctx(ctx): Ctx,
    place: Place,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let found = repositories::contents(&ctx, place.target(), "", at.r#ref.as_deref()).await?;
    Ok(answer(&Links::new(ctx.settings()), found, &headers))
}

async fn get_content(
    Ctx(ctx): Ctx,
    place: Place,
    Path(OfPath { path }): Path<OfPath>,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let found = repositories::contents(&ctx, place.target(), &path, at.r#ref.as_deref()).await?;
    Ok(answer(&Links::new(ctx.settings()), found, &headers))
}

async fn get_readme(
    Ctx(ctx): Ctx,
    place: Place,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let found = repositories::readme(&ctx, place.target(), None, at.r#ref.as_deref()).await?;
    Ok(answer(&Links::new(ctx.settings()), found, &headers))
}

async fn get_readme_in_directory(
    Ctx(ctx): Ctx,
    place: Place,
    Path(InDirectory { dir }): Path<InDirectory>,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let found = repositories::readme(&ctx, place.target(), Some(&dir), at.r#ref.as_deref()).await?;
    Ok(answer(&Links::new(ctx.settings()), found, &headers))
}

fn answer(links: &Links, found: Content, headers: &HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let place = Addresses::new(links, &found);
    match found.body {
        ContentBody::Bytes(bytes) if accept.contains(".raw") => {
            ([(CONTENT_TYPE, "application/vnd.github.raw; charset=utf-8")], bytes).into_response()
        }
        ContentBody::Bytes(bytes) => Json(with_content(&place, &found.entry, &bytes)).into_response(),
        ContentBody::Submodule => {
            let mut view = place.describe(&found.entry);
            view["submodule_git_url"] = Value::Null;
            Json(view).into_response()
        }
        ContentBody::Entries(entries) => {
            let entries: Vec<Value> = entries.iter().map(|entry| place.describe(entry)).collect();
            if accept.contains(".object") {
                let mut view = place.describe(&found.entry);
                view["entries"] = Value::from(entries);
                return Json(view).into_response();
            }
            Json(entries).into_response()
        }
    }
}

fn with_content(place: &Addresses, entry: &ContentEntry, bytes: &[u8]) -> Value {
    let mut view = place.describe(entry);
    if entry.kind == ContentKind::Link {
        view["target"] = Value::from(String::from_utf8_lossy(bytes));
        return view;
    }
    let is_inline = entry.size <= MAX_INLINE;
    view["encoding"] = Value::from(if is_inline { "base64" } else { "none" });
    view["content"] =
        Value::from(if is_inline { BASE64_MIME.encode(bytes).replace('\r', "") } else { String::new() });
    view
}

/// Where the parts of one answer lie.
struct Addresses {
    api: String,
    web: String,
    revision: String,
}

#[derive(Serialize)]
struct EntryLinks {
    #[serde(rename = "self")]
    own: String,
    git: Option<String>,
    html: Option<String>,
}

impl Addresses {
    fn new(links: &Links, found: &Content) -> Self {
        Self::of(links, &found.access.repository, found.revision.clone())
    }

    fn of(links: &Links, repository: &Repository, revision: String) -> Self {
        let full_name = repository.full_name();
        Self { api: links.api(&format!("repos/{full_name}")), web: links.web(&full_name), revision }
    }

    fn describe(&self, entry: &ContentEntry) -> Value {
        let path = in_path(&entry.path);
        let revision = in_path(&self.revision);
        let (kind, git, page) = match entry.kind {
            ContentKind::Tree => ("dir", Some("trees"), Some("tree")),
            ContentKind::File | ContentKind::Executable => ("file", Some("blobs"), Some("blob")),
            ContentKind::Link => ("symlink", Some("blobs"), Some("blob")),
            ContentKind::Submodule => ("submodule", None, None),
        };
        let query = serde_urlencoded::to_string([("ref", &self.revision)]).unwrap_or_default();
        let links = EntryLinks {
            own: format!("{}/contents/{path}?{query}", self.api),
            git: git.map(|git| format!("{}/git/{git}/{}", self.api, entry.id)),
            html: page.map(|page| format!("{}/{page}/{revision}/{path}", self.web)),
        };
        json!({
            "type": kind,
            "name": entry.name,
            "path": entry.path,
            "sha": entry.id,
            "size": entry.size,
            "url": links.own,
            "git_url": links.git,
            "html_url": links.html,
            "download_url": null,
            "_links": links,
        })
    }
}
