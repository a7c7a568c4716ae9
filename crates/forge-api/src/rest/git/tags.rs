//! <https://docs.github.com/rest/git/tags>

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::objects::{self, NewTag, ObjectKind, Tag};
use forge_types::node_id::ObjectNodeKind;
use forge_types::repository::Repository;
use forge_types::{Error, NodeId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::IdentityBody;
use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::rest::place::Place;
use crate::views::Links;
use crate::views::commit::{CommitUser, Verification};

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new().route("/git/tags/{tag_sha}", get(get_tag)).route("/git/tags", post(create_tag))
}

#[derive(Deserialize)]
struct Named {
    tag_sha: String,
}

fn view(links: &Links, repository: &Repository, tag: &Tag) -> Value {
    let place = format!("repos/{}/git", repository.full_name());
    let kind = tag.target_kind.as_str();
    // Tags from before 2005 say neither who nor when; GitHub's description has no way to say that.
    let tagger = tag.tagger.as_ref().map_or_else(
        || json!({ "name": "", "email": "", "date": "1970-01-01T00:00:00Z" }),
        |tagger| json!(CommitUser::from(tagger)),
    );
    json!({
        "node_id": NodeId::Object(ObjectNodeKind::Tag, repository.id, tag.id),
        "sha": tag.id,
        "url": links.api(&format!("{place}/tags/{}", tag.id)),
        "tag": tag.name,
        "message": tag.message,
        "tagger": tagger,
        "object": {
            "type": kind,
            "sha": tag.target_id,
            "url": links.api(&format!("{place}/{kind}s/{}", tag.target_id)),
        },
        "verification": Verification::of(tag.signed.as_ref()),
    })
}

async fn get_tag(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { tag_sha }): Path<Named>,
) -> ApiResult<Json<Value>> {
    let (access, tag) = objects::tag(&ctx, place.target(), &tag_sha).await?;
    Ok(Json(view(&Links::new(ctx.settings()), &access.repository, &tag)))
}

#[derive(Deserialize)]
struct NewBody {
    tag: String,
    message: String,
    object: String,
    r#type: String,
    tagger: Option<IdentityBody>,
}

async fn create_tag(Ctx(ctx): Ctx, place: Place, JsonBody(new): JsonBody<NewBody>) -> ApiResult<Response> {
    let kind = match new.r#type.as_str() {
        "commit" => ObjectKind::Commit,
        "tree" => ObjectKind::Tree,
        "blob" => ObjectKind::Blob,
        "tag" => ObjectKind::Tag,
        other => return Err(Error::unprocessable(format!("`{other}` is no type of object")).into()),
    };
    let tagger = IdentityBody::read_optional(new.tagger)?;
    let new = NewTag { name: new.tag, message: new.message, object: new.object, kind, tagger };
    let (access, tag) = objects::create_tag(&ctx, place.target(), new).await?;
    let view = view(&Links::new(ctx.settings()), &access.repository, &tag);
    let url = view["url"].as_str().unwrap_or_default().to_owned();
    Ok((StatusCode::CREATED, [(LOCATION, url)], Json(view)).into_response())
}
