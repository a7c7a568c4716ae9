//! Policies of organizations, and those of the forge.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::organizations::OrganizationTarget;
use forge_service::policies::{
    self, Change, DryRun, Facts, Outcome, Policy, PolicySource, ResourceFacts, Rule, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::account::SimpleUser;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/orgs/{org}/policies", get(list).post(create).delete(delete_all))
        .route("/orgs/{org}/policies/{name}", delete(remove))
        .route("/orgs/{org}/policies/dry-run", post(dry_run))
        .route("/admin/policies", get(list_instance))
        .route("/admin/policies/reload", post(reload))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    name: String,
    policy: String,
}

impl From<PolicyBody> for PolicySource {
    fn from(body: PolicyBody) -> Self {
        Self { name: body.name, text: body.policy }
    }
}

async fn list(Ctx(ctx): Ctx, Path(org): Path<String>, page: PageQuery) -> ApiResult<Response> {
    let found = policies::list(&ctx, OrganizationTarget::Login(&org), page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|policy| view(&ctx, &policy))))
}

async fn create(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<PolicyBody>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let made = policies::create(&ctx, OrganizationTarget::Login(&org), &body.into()).await?;
    Ok((StatusCode::CREATED, Json(view(&ctx, &made))))
}

async fn remove(Ctx(ctx): Ctx, Path((org, name)): Path<(String, String)>) -> ApiResult<StatusCode> {
    policies::delete(&ctx, OrganizationTarget::Login(&org), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_all(Ctx(ctx): Ctx, Path(org): Path<String>) -> ApiResult<StatusCode> {
    policies::delete_all(&ctx, OrganizationTarget::Login(&org)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DryRunBody {
    #[serde(default)]
    add: Vec<PolicyBody>,
    #[serde(default)]
    remove: Vec<String>,
    decisions: Option<u32>,
}

async fn dry_run(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<DryRunBody>,
) -> ApiResult<Json<Value>> {
    let wanted = DryRun {
        add: body.add.into_iter().map(PolicySource::from).collect(),
        remove: body.remove,
        decisions: body.decisions,
    };
    let (considered, changes) = policies::dry_run(&ctx, OrganizationTarget::Login(&org), &wanted).await?;
    Ok(Json(json!({
        "considered": considered,
        "changed": changes.iter().map(change).collect::<Vec<_>>(),
    })))
}

async fn list_instance(Ctx(ctx): Ctx) -> ApiResult<Json<Value>> {
    let rules = policies::list_instance(&ctx).await?;
    Ok(Json(rules.iter().map(rule).collect()))
}

async fn reload(Ctx(ctx): Ctx) -> ApiResult<Json<Value>> {
    let rules = policies::reload(&ctx).await?;
    Ok(Json(rules.iter().map(rule).collect()))
}

fn rule(rule: &Rule) -> Value {
    json!({
        "rule": rule.name,
        "outcome": rule.outcome.map(Outcome::as_str),
        "reason": rule.reason,
    })
}

fn view(ctx: &RequestContext, policy: &Policy) -> Value {
    let links = Links::new(ctx.settings());
    let mut view = rule(&policy.rule);
    view["name"] = json!(policy.stored.name);
    view["policy"] = json!(policy.stored.text);
    view["created_by"] = json!(SimpleUser::new(&links, &policy.stored.created_by));
    view["created_at"] = json!(policy.stored.created_at);
    view
}

fn change(change: &Change) -> Value {
    let Facts { action, principal, resource, context } = &change.facts;
    json!({
        "decided_at": change.decided_at,
        "subject": { "type": principal.kind, "id": principal.login },
        "action": action,
        "resource": resource_view(resource),
        "ref": context.r#ref.as_ref().map(|changed| &changed.name),
        "surface": context.surface,
        "before": verdict(&change.before),
        "after": verdict(&change.after),
    })
}

fn resource_view(resource: &ResourceFacts) -> Value {
    match resource {
        ResourceFacts::Account { id, .. } => json!({ "type": "account", "id": id.to_string() }),
        ResourceFacts::Organization { id } => json!({ "type": "organization", "id": id.to_string() }),
        ResourceFacts::Team { id, .. } => json!({ "type": "team", "id": id.to_string() }),
        ResourceFacts::TaskGrant { id, .. } => json!({ "type": "task_grant", "id": id }),
        ResourceFacts::Repository { full_name, .. } => json!({ "type": "repository", "id": full_name }),
    }
}

fn verdict(verdict: &Verdict) -> Value {
    json!({ "decision": verdict.is_allowed, "rule": verdict.rule, "reason": verdict.message })
}
