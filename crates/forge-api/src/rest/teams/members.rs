//! <https://docs.github.com/rest/teams/members>

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use forge_service::teams::{self, TeamMember, TeamTarget};
use forge_types::organization::TeamRole;
use forge_types::{Error, FieldCode};
use serde::Deserialize;

use crate::ApiState;
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;
use crate::views::team::TeamMembership;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/orgs/{org}/teams/{team_slug}/members", get(list_members_in_org)).route(
        "/orgs/{org}/teams/{team_slug}/memberships/{username}",
        get(get_membership_for_user_in_org)
            .put(add_or_update_membership_for_user_in_org)
            .delete(remove_membership_for_user_in_org),
    )
}

#[derive(Deserialize)]
struct MembersQuery {
    role: Option<String>,
}

async fn list_members_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug)): Path<(String, String)>,
    page: PageQuery,
    Query(query): Query<MembersQuery>,
) -> ApiResult<Response> {
    let role = query.role.as_deref().and_then(TeamRole::parse);
    let target = TeamTarget::Slug(&org, &slug);
    let found = teams::list_members(&ctx, target, role, page.request).await?;
    let links = Links::new(ctx.settings());
    let view = |member: TeamMember| SimpleUser::new(&links, &member.account);
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

async fn get_membership_for_user_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug, username)): Path<(String, String, String)>,
) -> ApiResult<Json<TeamMembership>> {
    let (team, member) = teams::membership(&ctx, TeamTarget::Slug(&org, &slug), &username).await?;
    let links = Links::new(ctx.settings());
    Ok(Json(TeamMembership::new(&links, &team, &member.account.login, member.role)))
}

#[derive(Default, Deserialize)]
struct MembershipBody {
    role: Option<String>,
}

async fn add_or_update_membership_for_user_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug, username)): Path<(String, String, String)>,
    OptionalJsonBody(body): OptionalJsonBody<MembershipBody>,
) -> ApiResult<Json<TeamMembership>> {
    let name = body.role.as_deref().unwrap_or("member");
    let role = TeamRole::parse(name).ok_or_else(|| {
        let message = format!("`{name}` is neither member nor maintainer");
        Error::invalid("TeamMembership", "role", FieldCode::Invalid, message)
    })?;
    let target = TeamTarget::Slug(&org, &slug);
    let (team, member) = teams::set_membership(&ctx, target, &username, role).await?;
    let links = Links::new(ctx.settings());
    Ok(Json(TeamMembership::new(&links, &team, &member.account.login, member.role)))
}

async fn remove_membership_for_user_in_org(
    Ctx(ctx): Ctx,
    Path((org, slug, username)): Path<(String, String, String)>,
) -> ApiResult<StatusCode> {
    teams::remove_member(&ctx, TeamTarget::Slug(&org, &slug), &username).await?;
    Ok(StatusCode::NO_CONTENT)
}
