//! <https://docs.github.com/rest/search/search>

use axum::extract::Query;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::repositories::{self, RepositoryQuery};
use forge_types::repository_query::{RepositoryOrder, RepositorySort};
use forge_types::{Error, FieldCode};
use serde::Deserialize;
use serde_json::json;

use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::repository::{FoundRepository, RepositoryView};

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/search/repositories", get(repos))
}

#[derive(Deserialize)]
struct SearchQuery {
    q: Option<String>,
    sort: Option<String>,
    order: Option<String>,
}

async fn repos(Ctx(ctx): Ctx, page: PageQuery, Query(query): Query<SearchQuery>) -> ApiResult<Response> {
    let text = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Error::invalid("Search", "q", FieldCode::Missing, "q is missing"))?;
    let wanted = RepositoryQuery::parse(text)?;
    let sort = query.sort.as_deref().and_then(RepositorySort::parse).unwrap_or(RepositorySort::Pushed);
    let order = RepositoryOrder { sort, descending: query.order.as_deref() != Some("asc") };
    let found = repositories::search(&ctx, &wanted, order, page.request).await?;
    let (links, knows_caller) = (Links::new(ctx.settings()), ctx.account_id().is_some());
    let items: Vec<FoundRepository> = found
        .items
        .iter()
        .map(|access| FoundRepository { base: RepositoryView::new(&links, access, knows_caller), score: 1.0 })
        .collect();
    let total = found.total.unwrap_or_else(|| page.request.offset());
    let body = json!({ "total_count": total, "incomplete_results": false, "items": items });
    let mut response = Json(body).into_response();
    if let Some(link) = page.link(ctx.settings(), found.has_next, Some(total)) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}
