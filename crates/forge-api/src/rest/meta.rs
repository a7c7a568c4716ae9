//! <https://docs.github.com/rest/meta/meta> and <https://docs.github.com/rest/rate-limit/rate-limit>

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::App;
use forge_service::limits::{Quota, Resource, peek};
use serde_json::{Map, Value, json};

use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::views::Links;

/// The version of GitHub Enterprise Server whose API this is: clients switch features by it.
const INSTALLED_VERSION: &str = "3.21.0";

/// Where what lies, with names as GitHub's root lists them.
const ROOT: &[(&str, &str)] = &[
    ("current_user_url", "user"),
    ("authorizations_url", "authorizations"),
    ("code_search_url", "search/code?q={query}{&page,per_page,sort,order}"),
    ("commit_search_url", "search/commits?q={query}{&page,per_page,sort,order}"),
    ("emails_url", "user/emails"),
    ("emojis_url", "emojis"),
    ("events_url", "events"),
    ("feeds_url", "feeds"),
    ("followers_url", "user/followers"),
    ("following_url", "user/following{/target}"),
    ("gists_url", "gists{/gist_id}"),
    ("hub_url", "hub"),
    ("issue_search_url", "search/issues?q={query}{&page,per_page,sort,order}"),
    ("issues_url", "issues"),
    ("keys_url", "user/keys"),
    ("label_search_url", "search/labels?q={query}&repository_id={repository_id}{&page,per_page}"),
    ("notifications_url", "notifications"),
    ("organization_url", "orgs/{org}"),
    ("organization_repositories_url", "orgs/{org}/repos{?type,page,per_page,sort}"),
    ("organization_teams_url", "orgs/{org}/teams"),
    ("public_gists_url", "gists/public"),
    ("rate_limit_url", "rate_limit"),
    ("repository_url", "repos/{owner}/{repo}"),
    ("repository_search_url", "search/repositories?q={query}{&page,per_page,sort,order}"),
    ("current_user_repositories_url", "user/repos{?type,page,per_page,sort}"),
    ("starred_url", "user/starred{/owner}{/repo}"),
    ("starred_gists_url", "gists/starred"),
    ("topic_search_url", "search/topics?q={query}{&page,per_page}"),
    ("user_url", "users/{user}"),
    ("user_organizations_url", "user/orgs"),
    ("user_repositories_url", "users/{user}/repos{?type,page,per_page,sort}"),
    ("user_search_url", "search/users?q={query}{&page,per_page,sort,order}"),
];

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/", get(root))
        .route("/meta", get(meta))
        .route("/zen", get(zen))
        .route("/rate_limit", get(rate_limit))
        .route("/versions", get(versions))
}

/// Lists where what lies. Anonymous callers are told to sign in: clients test tokens here, also the empty one.
pub(super) async fn root(Ctx(ctx): Ctx) -> ApiResult<Json<Value>> {
    ctx.account()?;
    let links = Links::new(ctx.settings());
    let mut body: Map<String, Value> =
        ROOT.iter().map(|(name, path)| ((*name).to_owned(), Value::from(links.api(path)))).collect();
    body.insert("current_user_authorizations_html_url".to_owned(), links.web("settings/tokens").into());
    Ok(Json(Value::Object(body)))
}

async fn meta() -> Json<Value> {
    Json(json!({ "verifiable_password_authentication": false, "installed_version": INSTALLED_VERSION }))
}

async fn versions() -> Json<Value> {
    Json(json!(["2022-11-28"]))
}

async fn zen() -> Response {
    ([(CONTENT_TYPE, "text/plain;charset=utf-8")], "Say what is so, and refuse what is not.").into_response()
}

async fn rate_limit(Ctx(ctx): Ctx, State(app): State<Arc<App>>) -> Json<Value> {
    let of = |resource| budget(&peek(&app, &ctx, resource));
    let (core, search, graphql) = (of(Resource::Core), of(Resource::Search), of(Resource::GraphQl));
    Json(json!({ "resources": { "core": core, "search": search, "graphql": graphql }, "rate": core }))
}

fn budget(quota: &Quota) -> Value {
    json!({
        "limit": quota.limit,
        "used": quota.used,
        "remaining": quota.limit.saturating_sub(quota.used),
        "reset": quota.reset.as_seconds(),
        "resource": quota.resource.as_str(),
    })
}
