//! <https://docs.github.com/rest/users/emails>: an account has at most one address, which it set itself.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use forge_service::accounts;
use forge_types::page::Page;
use serde_json::{Value, json};

use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/user/emails", get(list_emails_for_authenticated_user))
        .route("/user/public_emails", get(list_emails_for_authenticated_user))
}

async fn list_emails_for_authenticated_user(Ctx(ctx): Ctx, page: PageQuery) -> ApiResult<Response> {
    let email = accounts::own_email(&ctx).await?.filter(|_| page.request.number() == 1);
    let items: Vec<Value> = email
        .into_iter()
        .map(|email| json!({ "email": email, "primary": true, "verified": false, "visibility": "public" }))
        .collect();
    Ok(page.answer(ctx.settings(), &Page { items, has_next: false }))
}
