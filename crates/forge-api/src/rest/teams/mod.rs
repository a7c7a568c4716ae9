//! <https://docs.github.com/rest/teams/teams>; neighbours hold members and repositories.

mod members;
mod repositories;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::organizations::{self, OrganizationTarget};
use forge_service::teams::{self, NewTeam, TeamChanges, TeamRecord, TeamTarget};
use forge_types::organization::TeamPrivacy;
use forge_types::page::Page;
use forge_types::{Error, FieldCode, Result};
use serde::Deserialize;

use crate::ApiState;
use crate::body::{JsonBody, OptionalJsonBody};
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::team::{FullTeam, TeamView};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/orgs/{org}/teams", get(list).post(create))
        .route("/orgs/{org}/teams/{team_slug}", get(get_by_name).patch(update_in_org).delete(delete_in_org))
        .route("/user/teams", get(list_for_authenticated_user))
        .merge(members::routes())
        .merge(repositories::routes())
}

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new().route("/teams", get(repositories::list_teams))
}

/// Returns the whole view of a team.
async fn full(ctx: &RequestContext, found: &TeamRecord) -> Result<FullTeam> {
    let target = OrganizationTarget::Id(found.team.organization_id);
    let organization = organizations::find(ctx, target).await?;
    Ok(FullTeam::new(&Links::new(ctx.settings()), found, &organization))
}

async fn list(Ctx(ctx): Ctx, Path(org): Path<String>, page: PageQuery) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = teams::list(&ctx, OrganizationTarget::Login(&org), page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|found| TeamView::new(&links, &found.team, None))))
}

async fn get_by_name(Ctx(ctx): Ctx, Path((org, slug)): Path<(String, String)>) -> ApiResult<Json<FullTeam>> {
    let found = teams::find(&ctx, TeamTarget::Slug(&org, &slug)).await?;
    Ok(Json(full(&ctx, &found).await?))
}

#[derive(Deserialize)]
struct CreateBody {
    name: String,
    description: Option<String>,
    privacy: Option<String>,
    #[serde(default)]
    maintainers: Vec<String>,
}

fn privacy(name: Option<&str>) -> Result<Option<TeamPrivacy>> {
    let parse = |name: &str| {
        let message = format!("`{name}` is neither secret nor closed");
        let invalid = Error::invalid("Team", "privacy", FieldCode::Invalid, message);
        TeamPrivacy::parse(name).ok_or(invalid)
    };
    name.map(parse).transpose()
}

async fn create(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<CreateBody>,
) -> ApiResult<Response> {
    let new = NewTeam {
        name: body.name,
        description: body.description,
        privacy: privacy(body.privacy.as_deref())?.unwrap_or(TeamPrivacy::Secret),
        maintainers: body.maintainers,
    };
    let created = teams::create(&ctx, OrganizationTarget::Login(&org), &new).await?;
    let view = full(&ctx, &created).await?;
    Ok((StatusCode::CREATED, [(LOCATION, view.base.url.clone())], Json(view)).into_response())
}

#[derive(Default, Deserialize)]
struct UpdateBody {
    name: Option<String>,
    description: Option<String>,
    privacy: Option<String>,
}

async fn update_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug)): Path<(String, String)>,
    OptionalJsonBody(body): OptionalJsonBody<UpdateBody>,
) -> ApiResult<Json<FullTeam>> {
    let changes = TeamChanges {
        name: body.name,
        description: body.description,
        privacy: privacy(body.privacy.as_deref())?,
    };
    let updated = teams::update(&ctx, TeamTarget::Slug(&org, &slug), &changes).await?;
    Ok(Json(full(&ctx, &updated).await?))
}

async fn delete_in_org(Ctx(ctx): Ctx, Path((org, slug)): Path<(String, String)>) -> ApiResult<StatusCode> {
    teams::delete(&ctx, TeamTarget::Slug(&org, &slug)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = teams::list_own(&ctx, page.request).await?;
    let mut views = Vec::with_capacity(found.items.len());
    for team in &found.items {
        views.push(full(&ctx, team).await?);
    }
    Ok(page.answer(ctx.settings(), &Page { items: views, has_next: found.has_next, total: found.total }))
}
