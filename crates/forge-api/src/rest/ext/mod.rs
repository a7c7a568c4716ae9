//! Our extensions under `/api/ext/v1`, all of them described by `schema/forge-ext.openapi.json`.

mod access;
mod access_groups;
pub(crate) mod agents;
mod approvals;
pub(crate) mod audit_checkpoints;
mod audit_events;
mod audit_stream;
mod clients;
mod delegation_policies;
mod device;
mod organizations;
mod policies;
mod pushes;
mod revocations;
mod task_grants;
mod tokens;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::ApiState;

const DESCRIPTION: &str = include_str!("../../../../../schema/forge-ext.openapi.json");

/// Returns the routes, without their prefix.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/openapi.json", get(description))
        .route("/audit-events", get(audit_events::list))
        .route("/audit-events/stream", get(audit_stream::follow))
        .route("/audit-checkpoints", get(audit_checkpoints::list))
        .merge(agents::routes())
        .merge(task_grants::routes())
        .merge(approvals::routes())
        .merge(revocations::routes())
        .merge(tokens::routes())
        .merge(device::routes())
        .merge(clients::routes())
        .merge(organizations::routes())
        .merge(pushes::routes())
        .merge(policies::routes())
        .merge(delegation_policies::routes())
        .merge(access::routes())
        .merge(access_groups::routes())
}

async fn description() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], DESCRIPTION)
}

/// Marks an answer that holds a secret: nothing on its way may keep it.
pub(crate) fn secret(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
