//! <https://docs.github.com/rest/collaborators/collaborators>
//!
//! Nobody is invited first: adding a collaborator always answers 204, as GitHub does for those who need no invitation.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use forge_service::collaborators::{self, CollaboratorOrigin};
use forge_types::account::AccountRef;
use forge_types::{Error, FieldCode, Permission};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::place::Place;
use crate::ApiState;
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;
use crate::views::repository::Permissions;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/collaborators", get(list_collaborators))
        .route(
            "/collaborators/{username}",
            get(check_collaborator).put(add_collaborator).delete(remove_collaborator),
        )
        .route("/collaborators/{username}/permission", get(get_collaborator_permission_level))
        .route("/invitations", get(list_invitations))
}

#[derive(Deserialize)]
struct Named {
    username: String,
}

/// GitHub's `collaborator`.
#[derive(Serialize)]
struct CollaboratorView {
    #[serde(flatten)]
    user: SimpleUser,
    permissions: Permissions,
    role_name: &'static str,
}

impl CollaboratorView {
    fn new(links: &Links, account: &AccountRef, permission: Option<Permission>) -> Self {
        let mut permissions = Permissions::new(permission);
        permissions.pull = permission.is_some();
        Self {
            user: SimpleUser::new(links, account),
            permissions,
            role_name: permission.map_or("none", Permission::role_name),
        }
    }
}

#[derive(Deserialize)]
struct ListQuery {
    affiliation: Option<String>,
    permission: Option<String>,
}

async fn list_collaborators(
    Ctx(ctx): Ctx,
    place: Place,
    page: PageQuery,
    Query(query): Query<ListQuery>,
) -> ApiResult<Response> {
    let origin = match query.affiliation.as_deref() {
        Some("outside") => CollaboratorOrigin::Outside,
        Some("direct") => CollaboratorOrigin::Direct,
        _ => CollaboratorOrigin::All,
    };
    let permission = query.permission.as_deref().and_then(Permission::parse);
    let found = collaborators::list(&ctx, place.target(), origin, permission, page.request).await?;
    let links = Links::new(ctx.settings());
    let view = |found: collaborators::Collaborator| {
        CollaboratorView::new(&links, &found.account, Some(found.permission))
    };
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

async fn check_collaborator(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { username }): Path<Named>,
) -> ApiResult<StatusCode> {
    if collaborators::is_collaborator(&ctx, place.target(), &username).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Error::not_found().into())
}

#[derive(Default, Deserialize)]
struct AddBody {
    permission: Option<String>,
}

async fn add_collaborator(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { username }): Path<Named>,
    OptionalJsonBody(body): OptionalJsonBody<AddBody>,
) -> ApiResult<StatusCode> {
    let name = body.permission.as_deref().unwrap_or("push");
    let permission = Permission::parse(name).ok_or_else(|| {
        let message = format!("`{name}` is none of pull, triage, push, maintain and admin");
        Error::invalid("Repository", "permission", FieldCode::Invalid, message)
    })?;
    collaborators::add(&ctx, place.target(), &username, permission).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_collaborator(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { username }): Path<Named>,
) -> ApiResult<StatusCode> {
    collaborators::remove(&ctx, place.target(), &username).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_collaborator_permission_level(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { username }): Path<Named>,
) -> ApiResult<Json<Value>> {
    let (account, permission) = collaborators::permission(&ctx, place.target(), &username).await?;
    let view = CollaboratorView::new(&Links::new(ctx.settings()), &AccountRef::from(&account), permission);
    Ok(Json(json!({ "permission": legacy(permission), "role_name": view.role_name, "user": view })))
}

/// The four names GitHub has here for five permissions.
const fn legacy(permission: Option<Permission>) -> &'static str {
    match permission {
        None => "none",
        Some(Permission::Read | Permission::Triage) => "read",
        Some(Permission::Write | Permission::Maintain) => "write",
        Some(Permission::Admin) => "admin",
    }
}

/// There are never any: see the module.
async fn list_invitations(Ctx(ctx): Ctx, place: Place, page: PageQuery) -> ApiResult<Json<Vec<Value>>> {
    let origin = CollaboratorOrigin::Direct;
    collaborators::list(&ctx, place.target(), origin, None, page.request).await?;
    Ok(Json(Vec::new()))
}
