//! <https://docs.github.com/rest/git/trees>

use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::objects::{self, EntryKind, NewItem, NewItemContent, Tree, TreeItem};
use forge_types::repository::Repository;
use forge_types::{Error, ObjectId};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::ApiState;
use crate::base64;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::place::Place;
use crate::views::Links;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/git/trees", post(create_tree).layer(DefaultBodyLimit::max(base64::MAX_BODY)))
        .route("/git/trees/{*tree_sha}", get(get_tree))
}

#[derive(Deserialize)]
struct Named {
    tree_sha: String,
}

#[derive(Deserialize)]
struct Depth {
    /// Any value at all.
    recursive: Option<String>,
}

async fn get_tree(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { tree_sha }): Path<Named>,
    Query(depth): Query<Depth>,
) -> ApiResult<Json<Value>> {
    let (access, tree) = objects::tree(&ctx, place.target(), &tree_sha, depth.recursive.is_some()).await?;
    Ok(Json(view(&Links::new(ctx.settings()), &access.repository, &tree)))
}

fn view(links: &Links, repository: &Repository, tree: &Tree) -> Value {
    let place = format!("repos/{}/git", repository.full_name());
    let url = |kind: &str, id: ObjectId| links.api(&format!("{place}/{kind}/{id}"));
    let item = |item: &TreeItem| {
        let (kind, folder) = match item.kind {
            EntryKind::Tree => ("tree", Some("trees")),
            EntryKind::File | EntryKind::Executable | EntryKind::Link => ("blob", Some("blobs")),
            EntryKind::Submodule => ("commit", None),
        };
        let mut view = json!({ "path": item.path, "mode": item.kind.mode(), "type": kind, "sha": item.id });
        if let Some(folder) = folder {
            view["url"] = Value::from(url(folder, item.id));
        }
        if let Some(size) = item.size {
            view["size"] = Value::from(size);
        }
        view
    };
    json!({
        "sha": tree.id,
        "url": url("trees", tree.id),
        "tree": tree.items.iter().map(item).collect::<Vec<_>>(),
        "truncated": tree.is_truncated,
    })
}

#[derive(Deserialize)]
struct NewTree {
    base_tree: Option<String>,
    tree: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    mode: Option<String>,
    r#type: Option<String>,
    /// Given as null it deletes.
    #[serde(default, deserialize_with = "given")]
    sha: Option<Option<String>>,
    content: Option<String>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Entry {
    fn read(self) -> Result<NewItem, Error> {
        let content = match (self.sha, self.content) {
            (Some(Some(_)), Some(_)) => {
                return Err(Error::unprocessable("Must supply either tree.sha or tree.content"));
            }
            (_, Some(content)) => NewItemContent::Bytes(content.into_bytes()),
            (Some(None), None) => NewItemContent::Nothing,
            (Some(Some(id)), None) => NewItemContent::Object(
                id.parse().map_err(|_| Error::unprocessable("tree.sha is not a valid SHA"))?,
            ),
            (None, None) => {
                return Err(Error::unprocessable("Must supply either tree.sha or tree.content"));
            }
        };
        let kind = match self.mode.as_deref() {
            Some("100644") => EntryKind::File,
            Some("100755") => EntryKind::Executable,
            Some("040000") => EntryKind::Tree,
            Some("160000") => EntryKind::Submodule,
            Some("120000") => EntryKind::Link,
            _ if matches!(content, NewItemContent::Nothing) => EntryKind::File,
            _ => return Err(Error::unprocessable("Must supply a valid tree.mode")),
        };
        let is_deleted = matches!(content, NewItemContent::Nothing);
        let is_right = self.r#type.as_deref().is_none_or(|named| named == kind.object_kind().as_str());
        if !is_deleted && !is_right {
            return Err(Error::unprocessable("Must supply a valid tree.type, that of tree.mode"));
        }
        if matches!(content, NewItemContent::Bytes(_)) && kind.object_kind() != objects::ObjectKind::Blob {
            return Err(Error::unprocessable("tree.content is for files and links only"));
        }
        Ok(NewItem { path: self.path, kind, content })
    }
}

async fn create_tree(Ctx(ctx): Ctx, place: Place, JsonBody(new): JsonBody<NewTree>) -> ApiResult<Response> {
    let items = new.tree.into_iter().map(Entry::read).collect::<Result<Vec<_>, _>>()?;
    if items.is_empty() {
        return Err(Error::unprocessable("Invalid tree info").into());
    }
    let (access, tree) = objects::create_tree(&ctx, place.target(), new.base_tree.as_deref(), items).await?;
    let view = view(&Links::new(ctx.settings()), &access.repository, &tree);
    let url = view["url"].as_str().unwrap_or_default().to_owned();
    Ok((StatusCode::CREATED, [(LOCATION, url)], Json(view)).into_response())
}
