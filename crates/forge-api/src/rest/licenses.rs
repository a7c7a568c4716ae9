//! <https://docs.github.com/rest/licenses/licenses>

use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use forge_service::templates::{license, licenses};
use forge_types::Error;
use forge_types::page::Page;
use serde::Deserialize;

use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::license::{FullLicense, SimpleLicense};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/licenses", get(get_all_commonly_used))
        .route("/licenses/{license}", get(get_license))
}

#[derive(Deserialize)]
struct Featured {
    featured: Option<bool>,
}

async fn get_all_commonly_used(Ctx(ctx): Ctx, page: PageQuery, Query(query): Query<Featured>) -> Response {
    let links = Links::new(ctx.settings());
    let is_wanted = |is_featured| query.featured.is_none_or(|wanted| wanted == is_featured);
    let offset = usize::try_from(page.request.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(page.request.size()).unwrap_or(usize::MAX);
    let all: Vec<_> = licenses().iter().filter(|license| is_wanted(license.is_featured)).collect();
    let total = i64::try_from(all.len()).ok();
    let items = all
        .into_iter()
        .skip(offset)
        .take(size + 1)
        .map(|license| SimpleLicense::new(&links, license))
        .collect();
    page.answer(ctx.settings(), &Page::counted(items, page.request, total))
}

async fn get_license(Ctx(ctx): Ctx, Path(key): Path<String>) -> ApiResult<Json<FullLicense>> {
    let license = license(&key).ok_or_else(Error::not_found)?;
    Ok(Json(FullLicense::new(&Links::new(ctx.settings()), license)))
}
