//! <https://docs.github.com/rest/orgs/orgs> and the operations that create organizations.

mod audit_log;
mod members;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::organizations::{
    self, NewOrganization, OrganizationChanges, OrganizationRecord, OrganizationTarget,
};
use forge_types::id::AccountId;
use forge_types::organization::Organization;
use forge_types::{Error, FieldCode, Permission, Result};
use serde::Deserialize;

use super::users::Since;
use crate::ApiState;
use crate::body::{JsonBody, OptionalJsonBody};
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::{PageQuery, since_link};
use crate::views::Links;
use crate::views::organization::{FullOrganization, SimpleOrganization};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/organizations", get(list))
        .route("/admin/organizations", post(create_org))
        .route("/orgs/{org}", get(get_organization).patch(update))
        .route("/orgs/{org}/audit-log", get(audit_log::get_audit_log))
        .route("/user/orgs", get(list_for_authenticated_user))
        .route("/users/{username}/orgs", get(list_for_user))
        .merge(members::routes())
}

/// Returns an organization as the caller may see it.
pub(super) fn full(ctx: &RequestContext, found: &OrganizationRecord) -> FullOrganization {
    let is_owner = organizations::may_administer(ctx, found);
    FullOrganization::new(&Links::new(ctx.settings()), found, is_owner)
}

async fn get_organization(Ctx(ctx): Ctx, Path(org): Path<String>) -> ApiResult<Json<FullOrganization>> {
    let found = organizations::find(&ctx, OrganizationTarget::Login(&org)).await?;
    Ok(Json(full(&ctx, &found)))
}

#[derive(Default, Deserialize)]
struct UpdateBody {
    name: Option<String>,
    email: Option<String>,
    description: Option<String>,
    default_repository_permission: Option<String>,
    members_can_create_repositories: Option<bool>,
}

impl UpdateBody {
    fn read(self) -> Result<OrganizationChanges> {
        Ok(OrganizationChanges {
            name: self.name,
            email: self.email,
            description: self.description,
            default_permission: self.default_repository_permission.as_deref().map(permission).transpose()?,
            members_can_create_repositories: self.members_can_create_repositories,
        })
    }
}

fn permission(name: &str) -> Result<Option<Permission>> {
    match name {
        "none" => Ok(None),
        "read" | "write" | "admin" => Ok(Permission::parse(name)),
        _ => {
            let message = format!("`{name}` is none of none, read, write and admin");
            let field = "default_repository_permission";
            Err(Error::invalid("Organization", field, FieldCode::Invalid, message))
        }
    }
}

async fn update(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    OptionalJsonBody(body): OptionalJsonBody<UpdateBody>,
) -> ApiResult<Json<FullOrganization>> {
    let target = OrganizationTarget::Login(&org);
    let found = organizations::update(&ctx, target, &body.read()?).await?;
    Ok(Json(full(&ctx, &found)))
}

#[derive(Deserialize)]
struct CreateForBody {
    login: String,
    admin: String,
    profile_name: Option<String>,
}

/// <https://docs.github.com/enterprise-server/rest/enterprise-admin/orgs#create-an-organization>
async fn create_org(Ctx(ctx): Ctx, JsonBody(body): JsonBody<CreateForBody>) -> ApiResult<Response> {
    let new = NewOrganization { login: body.login, name: body.profile_name, ..NewOrganization::default() };
    let created = organizations::create_for(&ctx, &new, &body.admin).await?;
    let view = SimpleOrganization::new(&Links::new(ctx.settings()), &created.organization.account);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

async fn list(Ctx(ctx): Ctx, page: PageQuery, Query(query): Query<Since>) -> ApiResult<Response> {
    let size = page.request.size();
    let found = organizations::list(&ctx, AccountId(query.since.unwrap_or(0)), size).await?;
    let links = Links::new(ctx.settings());
    let is_full = found.len() == usize::try_from(size).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| is_full).map(|organization| organization.account.id.0);
    let views: Vec<SimpleOrganization> = found.iter().map(|found| simple(&links, found)).collect();
    let mut response = Json(views).into_response();
    if let Some(link) = since_link(&links.api("organizations"), size, next) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn simple(links: &Links, organization: &Organization) -> SimpleOrganization {
    SimpleOrganization::new(links, &organization.account)
}

async fn list_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = organizations::list_own(&ctx, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|found| simple(&links, &found))))
}

async fn list_for_user(Ctx(ctx): Ctx, Path(username): Path<String>, page: PageQuery) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = organizations::list_of_user(&ctx, &username, page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|found| simple(&links, &found))))
}
