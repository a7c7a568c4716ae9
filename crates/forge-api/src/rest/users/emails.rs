//! <https://docs.github.com/rest/users/emails>: an account has at most one address, which it set itself.

use axum::response::Response;
use axum::routing::{get, patch};
use axum::{Json, Router};
use forge_service::accounts::{self, OwnEmail};
use forge_types::page::Page;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user/emails", get(list_emails_for_authenticated_user))
        .route("/user/public_emails", get(list_public_emails_for_authenticated_user))
        .route("/user/email/visibility", patch(set_primary_email_visibility_for_authenticated_user))
}

fn view(email: &OwnEmail) -> Value {
    let visibility = if email.is_public { "public" } else { "private" };
    json!({ "email": email.email, "primary": true, "verified": false, "visibility": visibility })
}

async fn list_emails_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let email = accounts::own_email(&ctx).await?.filter(|_| page.request.number() == 1);
    let items: Vec<Value> = email.iter().map(view).collect();
    Ok(page.answer(ctx.settings(), &Page { items, has_next: false, total: None }))
}

async fn list_public_emails_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let email =
        accounts::own_email(&ctx).await?.filter(|email| email.is_public && page.request.number() == 1);
    let items: Vec<Value> = email.iter().map(view).collect();
    Ok(page.answer(ctx.settings(), &Page { items, has_next: false, total: None }))
}

#[derive(Deserialize)]
struct VisibilityBody {
    visibility: Visibility,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Visibility {
    Public,
    Private,
}

async fn set_primary_email_visibility_for_authenticated_user(
    Ctx(ctx): Ctx,
    JsonBody(body): JsonBody<VisibilityBody>,
) -> ApiResult<Json<Vec<Value>>> {
    let email = accounts::show_own_email(&ctx, body.visibility == Visibility::Public).await?;
    Ok(Json(vec![view(&email)]))
}
