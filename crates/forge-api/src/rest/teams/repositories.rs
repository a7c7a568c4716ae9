//! The repositories of a team: <https://docs.github.com/rest/teams/teams#list-team-repositories> and after.

use axum::extract::Path;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::target::RepositoryTarget;
use forge_service::teams::{self, TeamAccess, TeamRepository, TeamTarget};
use forge_types::{Error, FieldCode, Permission};
use serde::Deserialize;

use crate::ApiState;
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::rest::place::Place;
use crate::views::Links;
use crate::views::repository::{Permissions, RepositoryView, TeamRepositoryView};
use crate::views::team::TeamView;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/orgs/{org}/teams/{team_slug}/repos", get(list_repos_in_org)).route(
        "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}",
        get(check_permissions_for_repo_in_org)
            .put(add_or_update_repo_permissions_in_org)
            .delete(remove_repo_in_org),
    )
}

/// Shows a repository with what the team may do there, not the caller.
fn view(links: &Links, found: &TeamRepository) -> TeamRepositoryView {
    let mut base = RepositoryView::new(links, &found.access, true);
    base.permissions = Some(Permissions::new(Some(found.permission)));
    TeamRepositoryView { base, role_name: found.permission.role_name() }
}

async fn list_repos_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug)): Path<(String, String)>,
    page: PageQuery,
) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = teams::list_repositories(&ctx, TeamTarget::Slug(&org, &slug), page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|found| view(&links, &found))))
}

type TeamAndRepository = Path<(String, String, String, String)>;

async fn check_permissions_for_repo_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug, owner, repo)): TeamAndRepository,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let repository = RepositoryTarget::Name(&owner, &repo);
    let found = teams::find_repository(&ctx, TeamTarget::Slug(&org, &slug), repository).await?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("repository") {
        return Ok(Json(view(&Links::new(ctx.settings()), &found)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Default, Deserialize)]
struct PermissionBody {
    permission: Option<String>,
}

async fn add_or_update_repo_permissions_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug, owner, repo)): TeamAndRepository,
    OptionalJsonBody(body): OptionalJsonBody<PermissionBody>,
) -> ApiResult<StatusCode> {
    let name = body.permission.as_deref().unwrap_or("push");
    let permission = Permission::parse(name).ok_or_else(|| {
        let message = format!("`{name}` is none of pull, triage, push, maintain and admin");
        Error::invalid("Team", "permission", FieldCode::Invalid, message)
    })?;
    let repository = RepositoryTarget::Name(&owner, &repo);
    teams::set_repository(&ctx, TeamTarget::Slug(&org, &slug), repository, permission).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_repo_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug, owner, repo)): TeamAndRepository,
) -> ApiResult<StatusCode> {
    let repository = RepositoryTarget::Name(&owner, &repo);
    teams::remove_repository(&ctx, TeamTarget::Slug(&org, &slug), repository).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// <https://docs.github.com/rest/repos/repos#list-repository-teams>
pub(super) async fn list_teams(Ctx(ctx): Ctx, place: Place, page: PageQuery) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = teams::list_of_repository(&ctx, place.target(), page.request).await?;
    let view = |found: TeamAccess| TeamView::new(&links, &found.team, Some(found.permission));
    Ok(page.answer(ctx.settings(), &found.map(view)))
}
