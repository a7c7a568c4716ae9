//! Access groups of organizations.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::access_groups::{self, AccessGroupChanges, NewAccessGroup};
use forge_service::organizations::OrganizationTarget;
use forge_types::access_group::AccessGroup;
use forge_types::agent::StandingAccess;
use forge_types::ceiling::Ceiling;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::{JsonBody, present};
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/orgs/{org}/access-groups", get(list).post(create))
        .route("/orgs/{org}/access-groups/{name}", get(find).patch(update).delete(remove))
        .route("/orgs/{org}/access-groups/{name}/members", get(list_members))
        .route("/orgs/{org}/access-groups/{name}/members/{login}", put(add_member).delete(remove_member))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    description: Option<String>,
    #[serde(default)]
    ceiling: Ceiling,
    standing_access: Option<StandingAccess>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UpdateBody {
    #[serde(deserialize_with = "present")]
    description: Option<Option<String>>,
    ceiling: Option<Ceiling>,
    standing_access: Option<StandingAccess>,
}

async fn list(Ctx(ctx): Ctx, Path(org): Path<String>, page: PageQuery) -> ApiResult<Response> {
    let found = access_groups::list(&ctx, OrganizationTarget::Login(&org), page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|group| view(&ctx, &org, &group))))
}

async fn find(Ctx(ctx): Ctx, Path((org, name)): Path<(String, String)>) -> ApiResult<Json<Value>> {
    let found = access_groups::find(&ctx, OrganizationTarget::Login(&org), &name).await?;
    Ok(Json(view(&ctx, &org, &found)))
}

async fn create(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<CreateBody>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let new = NewAccessGroup {
        name: body.name,
        description: body.description,
        ceiling: body.ceiling,
        standing_access: body.standing_access.unwrap_or(StandingAccess::Full),
    };
    let made = access_groups::create(&ctx, OrganizationTarget::Login(&org), &new).await?;
    Ok((StatusCode::CREATED, Json(view(&ctx, &org, &made))))
}

async fn update(
    Ctx(ctx): Ctx,
    Path((org, name)): Path<(String, String)>,
    JsonBody(body): JsonBody<UpdateBody>,
) -> ApiResult<Json<Value>> {
    let changes = AccessGroupChanges {
        description: body.description,
        ceiling: body.ceiling,
        standing_access: body.standing_access,
    };
    let changed = access_groups::update(&ctx, OrganizationTarget::Login(&org), &name, changes).await?;
    Ok(Json(view(&ctx, &org, &changed)))
}

async fn remove(Ctx(ctx): Ctx, Path((org, name)): Path<(String, String)>) -> ApiResult<StatusCode> {
    access_groups::delete(&ctx, OrganizationTarget::Login(&org), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_members(
    Ctx(ctx): Ctx,
    Path((org, name)): Path<(String, String)>,
    page: PageQuery,
) -> ApiResult<Response> {
    let target = OrganizationTarget::Login(&org);
    let found = access_groups::list_members(&ctx, target, &name, page.request).await?;
    let links = Links::new(ctx.settings());
    let members = found.map(|member| {
        let mut view = json!(SimpleUser::new(&links, &member.account));
        view["user_kind"] = json!(member.account.kind.as_str());
        view["added_at"] = json!(member.added_at);
        view
    });
    Ok(page.answer(ctx.settings(), &members))
}

async fn add_member(
    Ctx(ctx): Ctx,
    Path((org, name, login)): Path<(String, String, String)>,
) -> ApiResult<StatusCode> {
    access_groups::add_member(&ctx, OrganizationTarget::Login(&org), &name, &login).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_member(
    Ctx(ctx): Ctx,
    Path((org, name, login)): Path<(String, String, String)>,
) -> ApiResult<StatusCode> {
    access_groups::remove_member(&ctx, OrganizationTarget::Login(&org), &name, &login).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The number is what policies call it: `principal in AccessGroup::"7"`.
fn view(ctx: &RequestContext, org: &str, group: &AccessGroup) -> Value {
    let url = format!("{}/api/ext/v1/orgs/{org}/access-groups/{}", ctx.settings().origin, group.name);
    json!({
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "is_built_in": group.is_built_in(),
        "ceiling": group.ceiling,
        "standing_access": group.standing_access,
        "members_url": format!("{url}/members"),
        "url": url,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    })
}
