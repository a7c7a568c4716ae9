//! Policies by which an organization delegates to the agents of an access group.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get};
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::grants::{self, DelegationPolicy, GrantDetails, NewPolicy};
use forge_service::organizations::OrganizationTarget;
use forge_types::{Error, FieldCode};
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
        .route("/orgs/{org}/delegation-policies", get(list).post(create))
        .route("/orgs/{org}/delegation-policies/{name}", delete(remove))
}

/// The members of a grant that a policy bounds, and who takes tasks by it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    name: String,
    access_group: String,
    max_lifetime: Option<u64>,
    #[serde(default)]
    resources: Value,
    #[serde(default)]
    actions: Value,
    #[serde(default)]
    constraints: Value,
}

impl PolicyBody {
    fn policy(self) -> ApiResult<NewPolicy> {
        let mut details = json!({});
        let members =
            [("resources", self.resources), ("actions", self.actions), ("constraints", self.constraints)];
        for (name, value) in members {
            if !value.is_null() {
                details[name] = value;
            }
        }
        let details = serde_json::from_value::<GrantDetails>(details).map_err(|error| {
            Error::invalid("DelegationPolicy", "constraints", FieldCode::Invalid, error.to_string())
        })?;
        Ok(NewPolicy {
            name: self.name,
            group: self.access_group,
            longest: self.max_lifetime.map(Duration::from_secs),
            details,
        })
    }
}

async fn list(Ctx(ctx): Ctx, Path(org): Path<String>, page: PageQuery) -> ApiResult<Response> {
    let found = grants::list_policies(&ctx, OrganizationTarget::Login(&org), page.request).await?;
    Ok(page.answer(ctx.settings(), &found.map(|policy| view(&ctx, &org, &policy))))
}

async fn create(
    Ctx(ctx): Ctx,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<PolicyBody>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let made = grants::create_policy(&ctx, OrganizationTarget::Login(&org), &body.policy()?).await?;
    Ok((StatusCode::CREATED, Json(view(&ctx, &org, &made))))
}

async fn remove(Ctx(ctx): Ctx, Path((org, name)): Path<(String, String)>) -> ApiResult<StatusCode> {
    grants::remove_policy(&ctx, OrganizationTarget::Login(&org), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(ctx: &RequestContext, org: &str, policy: &DelegationPolicy) -> Value {
    let links = Links::new(ctx.settings());
    let constraints = &policy.terms.constraints;
    json!({
        "name": policy.name,
        "delegator": format!("policy:{org}/{}", policy.name),
        "access_group": policy.group,
        "resources": policy.terms.resources.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "actions": policy.terms.actions,
        "constraints": {
            "branch_prefix": constraints.branch_prefix,
            "paths_deny": constraints.paths_deny,
            "budgets": { "pushes": constraints.budgets.pushes, "bytes": constraints.budgets.bytes },
            "requires_approval": constraints.requires_approval,
        },
        "max_lifetime": policy.longest,
        "created_by": SimpleUser::new(&links, &policy.created_by),
        "created_at": policy.created_at,
    })
}
