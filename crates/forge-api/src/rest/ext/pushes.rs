//! Reading who pushed what to a repository, and the certificates of signed pushes.

use axum::extract::{OriginalUri, Path, Query};
use axum::http::header::{HeaderValue, LINK};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::repositories::{self, ListedPush};
use forge_service::target::RepositoryTarget;
use forge_types::id::PushId;
use forge_types::page::PageRequest;
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::views::Links;
use crate::views::account::SimpleUser;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/repos/{owner}/{repo}/pushes", get(list))
        .route("/repos/{owner}/{repo}/pushes/{id}/certificate", get(certificate))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Before {
    before: Option<String>,
    per_page: Option<String>,
}

async fn list(
    Ctx(ctx): Ctx,
    Path((owner, repo)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Before>,
) -> ApiResult<Response> {
    let before = asked.before.as_deref().map(|text| text.parse().map(PushId)).transpose();
    let message = "before must be the id of a push";
    let before = before.map_err(|_| Error::invalid("Push", "before", FieldCode::Invalid, message))?;
    let per_page = asked.per_page.and_then(|text| text.parse().ok());
    let size = PageRequest::new(1, per_page.unwrap_or(PageRequest::default().size()));
    let target = RepositoryTarget::Name(&owner, &repo);
    let (pushes, has_more) = repositories::list_pushes(&ctx, target, before, size).await?;
    let links = Links::new(ctx.settings());
    let items: Vec<Value> = pushes.iter().map(|push| view(&links, push)).collect();
    let mut response = Json(items).into_response();
    if let Some(last) = pushes.last().filter(|_| has_more) {
        let origin = ctx.settings().origin.as_str().trim_end_matches('/');
        let (path, size, last) = (uri.path(), size.size(), last.id.0);
        let link = format!("<{origin}{path}?per_page={size}&before={last}>; rel=\"next\"");
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

fn view(links: &Links, push: &ListedPush) -> Value {
    json!({
        "id": push.id,
        "actor": SimpleUser::new(links, &push.actor),
        "door": push.door,
        "pushed_at": push.created_at,
        "signed_by": push.signed_by,
    })
}

async fn certificate(
    Ctx(ctx): Ctx,
    Path((owner, repo, id)): Path<(String, String, String)>,
) -> ApiResult<Json<Value>> {
    let id = id.parse().map(PushId).map_err(|_| Error::not_found())?;
    let target = RepositoryTarget::Name(&owner, &repo);
    let found = repositories::find_certificate(&ctx, target, id).await?;
    Ok(Json(json!({
        "push_id": id,
        "signed_by": found.key_fingerprint,
        "nonce": found.nonce,
        "nonce_issued_at": found.nonce_issued_at,
        "certificate": found.certificate,
    })))
}
