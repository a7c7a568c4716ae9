//! <https://docs.github.com/rest/branches/branches>

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use forge_service::repositories::{self, VisibleRef};
use serde_json::json;

use super::place::Place;
use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new().route("/branches", get(list_branches))
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
