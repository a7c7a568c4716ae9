//! <https://docs.github.com/rest/branches/branches>

use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use forge_service::repositories::{self, VisibleRef};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::place::Place;
use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::commit::CommitView;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new().route("/branches", get(list_branches)).route("/branches/{branch}", get(get_branch))
}

async fn list_branches(Ctx(ctx): Ctx, place: Place, page: PageQuery) -> ApiResult<Response> {
    let (access, found) = repositories::list_refs(&ctx, place.target(), "refs/heads/", page.request).await?;
    let commits = format!("repos/{}/commits", access.repository.full_name());
    let links = Links::new(ctx.settings());
    let view = |found: VisibleRef| {
        json!({
            "name": found.name.branch_name(),
            "commit": { "sha": found.id, "url": links.api(&format!("{commits}/{}", found.id)) },
            "protected": false,
        })
    };
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

#[derive(Deserialize)]
struct Named {
    branch: String,
}

async fn get_branch(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { branch }): Path<Named>,
) -> ApiResult<Json<Value>> {
    let (access, found) = repositories::find_branch(&ctx, place.target(), &branch).await?;
    let links = Links::new(ctx.settings());
    let name = utf8_percent_encode(&found.name, NON_ALPHANUMERIC);
    let full_name = access.repository.full_name();
    let own = links.api(&format!("repos/{full_name}/branches/{name}"));
    let protection_url = format!("{own}/protection");
    Ok(Json(json!({
        "name": found.name,
        "commit": CommitView::new(&links, &access.repository, &found.commit),
        "_links": { "self": own, "html": links.web(&format!("{full_name}/tree/{name}")) },
        "protected": false,
        "protection": {
            "enabled": false,
            "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
        },
        "protection_url": protection_url,
    })))
}
