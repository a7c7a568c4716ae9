//! Lists of repositories.

use axum::extract::{Path, Query};
use axum::response::Response;
use forge_service::RequestContext;
use forge_service::repositories::{self, RepositoryQuery};
use forge_types::page::Page;
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{Affiliations, RepositoryFilter, RepositoryOrder, RepositorySort};
use forge_types::{Error, FieldCode, Result};
use serde::Deserialize;

use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::repository::RepositoryView;

/// Which repositories a list is to hold.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    visibility: Option<String>,
    affiliation: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    sort: Option<String>,
    direction: Option<String>,
}

impl ListQuery {
    /// Returns the order; GitHub's direction is upwards for names and downwards for times.
    fn order(&self, default: RepositorySort) -> RepositoryOrder {
        let sort = self.sort.as_deref().and_then(RepositorySort::parse).unwrap_or(default);
        let descending = match self.direction.as_deref() {
            Some("asc") => false,
            Some("desc") => true,
            _ => sort != RepositorySort::FullName,
        };
        RepositoryOrder { sort, descending }
    }

    fn filter(&self) -> RepositoryFilter {
        let mut filter = RepositoryFilter::default();
        for name in [&self.visibility, &self.kind].into_iter().flatten() {
            match name.as_str() {
                "public" => filter.is_private = Some(false),
                "private" => filter.is_private = Some(true),
                "internal" => filter.visibility = Some(forge_types::repository::Visibility::Internal),
                "forks" => filter.is_fork = Some(true),
                "sources" => filter.is_fork = Some(false),
                _ => {}
            }
        }
        filter
    }

    fn affiliations(&self, default: Affiliations) -> Affiliations {
        if let Some(names) = &self.affiliation {
            let has = |wanted: &str| names.split(',').any(|name| name.trim() == wanted);
            return Affiliations {
                owner: has("owner"),
                collaborator: has("collaborator"),
                organization_member: has("organization_member"),
            };
        }
        match self.kind.as_deref() {
            Some("owner") => Affiliations::OWNER,
            Some("member") => Affiliations { owner: false, ..Affiliations::ALL },
            Some("all") => Affiliations::ALL,
            _ => default,
        }
    }

    /// GitHub refuses `type` beside the two parameters that replace it.
    fn check(&self) -> Result<()> {
        if self.kind.is_some() && (self.visibility.is_some() || self.affiliation.is_some()) {
            let message = "If you specify visibility or affiliation, you cannot specify type.";
            return Err(Error::invalid("Repository", "type", FieldCode::Unprocessable, message));
        }
        Ok(())
    }
}

pub(super) fn answer(ctx: &RequestContext, page: &PageQuery, found: Page<RepositoryAccess>) -> Response {
    let (links, knows_caller) = (Links::new(ctx.settings()), ctx.account_id().is_some());
    let views = found.map(|access| RepositoryView::new(&links, &access, knows_caller));
    page.answer(ctx.settings(), &views)
}

pub(super) async fn list_for_authenticated_user(
    Ctx(ctx): Ctx,
    page: PageQuery,
    Query(query): Query<ListQuery>,
) -> ApiResult<Response> {
    query.check()?;
    let (affiliations, filter) = (query.affiliations(Affiliations::ALL), query.filter());
    let order = query.order(RepositorySort::FullName);
    let found = repositories::list_own(&ctx, affiliations, &filter, order, page.request).await?;
    Ok(answer(&ctx, &page, found))
}

pub(super) async fn list_for_user(
    Ctx(ctx): Ctx,
    Path(username): Path<String>,
    page: PageQuery,
    Query(query): Query<ListQuery>,
) -> ApiResult<Response> {
    let (affiliations, filter) = (query.affiliations(Affiliations::OWNER), query.filter());
    let order = query.order(RepositorySort::FullName);
    let found =
        repositories::list_of_user(&ctx, &username, affiliations, &filter, order, page.request).await?;
    Ok(answer(&ctx, &page, found))
}

pub(super) async fn list_for_org(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    page: PageQuery,
    Query(query): Query<ListQuery>,
) -> ApiResult<Response> {
    let (filter, order) = (query.filter(), query.order(RepositorySort::Created));
    let found = repositories::list_of_owner(&ctx, &org, &filter, order, page.request).await?;
    Ok(answer(&ctx, &page, found))
}

/// Lists all public repositories, oldest first.
pub(super) async fn list_public(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let query = RepositoryQuery {
        filter: RepositoryFilter { is_private: Some(false), ..RepositoryFilter::default() },
        ..RepositoryQuery::default()
    };
    let order = RepositoryOrder { sort: RepositorySort::Created, descending: false };
    let found = repositories::search(&ctx, &query, order, page.request).await?;
    Ok(answer(&ctx, &page, found))
}
