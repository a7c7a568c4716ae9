//! <https://docs.github.com/rest/orgs/members>
//!
//! Nobody is invited first: a membership that is set is active at once.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use forge_service::organizations::{self, Member, MemberFilter, OrganizationTarget};
use forge_types::organization::OrganizationRole;
use forge_types::{Error, FieldCode};
use serde::Deserialize;

use crate::ApiState;
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;
use crate::views::organization::OrganizationMembership;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/orgs/{org}/members", get(list_members))
        .route("/orgs/{org}/members/{username}", get(check_membership_for_user).delete(remove_member))
        .route("/orgs/{org}/public_members", get(list_public_members))
        .route(
            "/orgs/{org}/public_members/{username}",
            get(check_public_membership_for_user).put(publicise).delete(conceal),
        )
        .route(
            "/orgs/{org}/memberships/{username}",
            get(get_membership_for_user).put(set_membership_for_user).delete(remove_member),
        )
        .route("/user/memberships/orgs", get(list_memberships_for_authenticated_user))
        .route("/user/memberships/orgs/{org}", get(get_membership_for_authenticated_user))
}

#[derive(Deserialize)]
struct MembersQuery {
    role: Option<String>,
}

async fn list_members(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    page: PageQuery,
    Query(query): Query<MembersQuery>,
) -> ApiResult<Response> {
    let role = query.role.as_deref().and_then(OrganizationRole::parse);
    let filter = MemberFilter { role, ..MemberFilter::default() };
    let target = OrganizationTarget::Login(&org);
    let found = organizations::list_members(&ctx, target, filter, page.request).await?;
    let links = Links::new(ctx.settings());
    Ok(page.answer(ctx.settings(), &found.map(|member: Member| SimpleUser::new(&links, &member.account))))
}

async fn list_public_members(Ctx(ctx): Ctx, Path(org): Path<String>, page: PageQuery) -> ApiResult<Response> {
    let filter = MemberFilter { only_public: true, ..MemberFilter::default() };
    let target = OrganizationTarget::Login(&org);
    let found = organizations::list_members(&ctx, target, filter, page.request).await?;
    let links = Links::new(ctx.settings());
    Ok(page.answer(ctx.settings(), &found.map(|member: Member| SimpleUser::new(&links, &member.account))))
}

async fn check_membership_for_user(
    Ctx(ctx): Ctx,
    Path((org, username)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    organizations::member(&ctx, OrganizationTarget::Login(&org), &username).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn check_public_membership_for_user(
    Ctx(ctx): Ctx,
    Path((org, username)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let member = organizations::member(&ctx, OrganizationTarget::Login(&org), &username).await?;
    if member.is_public { Ok(StatusCode::NO_CONTENT) } else { Err(Error::not_found().into()) }
}

async fn publicise(Ctx(ctx): Ctx, Path((org, username)): Path<(String, String)>) -> ApiResult<StatusCode> {
    organizations::publicise(&ctx, OrganizationTarget::Login(&org), &username, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn conceal(Ctx(ctx): Ctx, Path((org, username)): Path<(String, String)>) -> ApiResult<StatusCode> {
    organizations::publicise(&ctx, OrganizationTarget::Login(&org), &username, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_member(
    Ctx(ctx): Ctx,
    Path((org, username)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    organizations::remove_member(&ctx, OrganizationTarget::Login(&org), &username).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_membership_for_user(
    Ctx(ctx): Ctx,
    Path((org, username)): Path<(String, String)>,
) -> ApiResult<Json<OrganizationMembership>> {
    let target = OrganizationTarget::Login(&org);
    let (found, member) = organizations::membership(&ctx, target, &username).await?;
    let links = Links::new(ctx.settings());
    let account = &found.organization.account;
    Ok(Json(OrganizationMembership::new(&links, account, &member.account, member.role)))
}

#[derive(Default, Deserialize)]
struct MembershipBody {
    role: Option<String>,
}

async fn set_membership_for_user(
    Ctx(ctx): Ctx,
    Path((org, username)): Path<(String, String)>,
    OptionalJsonBody(body): OptionalJsonBody<MembershipBody>,
) -> ApiResult<Json<OrganizationMembership>> {
    let name = body.role.as_deref().unwrap_or("member");
    let role = OrganizationRole::parse(name).ok_or_else(|| {
        let message = format!("`{name}` is neither member nor admin");
        Error::invalid("OrganizationMembership", "role", FieldCode::Invalid, message)
    })?;
    let target = OrganizationTarget::Login(&org);
    let (found, member) = organizations::set_membership(&ctx, target, &username, role).await?;
    let links = Links::new(ctx.settings());
    let account = &found.organization.account;
    Ok(Json(OrganizationMembership::new(&links, account, &member.account, member.role)))
}

async fn list_memberships_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let found = organizations::own_memberships(&ctx, page.request).await?;
    let (links, account) = (Links::new(ctx.settings()), ctx.account()?);
    let view = |found: organizations::Membership| {
        OrganizationMembership::new(&links, &found.organization.account, account, found.role)
    };
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

async fn get_membership_for_authenticated_user(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
) -> ApiResult<Json<OrganizationMembership>> {
    let found = organizations::own_membership(&ctx, OrganizationTarget::Login(&org)).await?;
    let (links, account) = (Links::new(ctx.settings()), ctx.account()?);
    let organization = &found.organization.organization.account;
    Ok(Json(OrganizationMembership::new(&links, organization, account, found.role)))
}
