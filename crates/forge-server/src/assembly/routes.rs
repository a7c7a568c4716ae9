//! All routes of all rooms, and the layers in front of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use forge_api::ApiState;
use forge_service::App;
use forge_web::WebState;

use crate::config::{Config, Transport};
use crate::front::identity::{Authenticate, Identities};
use crate::front::{Answers, Clients, Hosts, answer, client, hosts, identity};
use crate::net::Metrics;

/// Returns the routes of all rooms, under the host's name and under its API name.
///
/// Nothing stands in front of them: who is at the other end is for [`crate::ForgeBuilder`]'s layers, or for a test.
pub fn rooms(app: &Arc<App>) -> Router {
    let state = ApiState { app: app.clone() };
    let graphql = forge_graphql::GraphQl::new();
    let graphql = |path| forge_api::around_graphql(forge_graphql::routes(path, graphql.clone()), &state);
    let pages = forge_web::router(&WebState::new(app.clone()));
    let main = forge_api::router(&state).merge(graphql("/api/graphql")).merge(pages);
    let api = forge_api::api_host_router(&state).merge(graphql("/graphql"));
    let host = app.settings().origin.host_str().unwrap_or_default().to_owned();
    // As a fallback, the rooms see the request untouched: no layer here runs after a route was chosen.
    Router::new().fallback_service(main).layer(from_fn_with_state(Hosts::new(&host, api), hosts::layer))
}

/// Returns everything that answers requests.
pub(super) fn router(
    app: &Arc<App>,
    config: &Config,
    host: Option<Arc<dyn Authenticate>>,
    metrics: Arc<Metrics>,
) -> Router {
    let is_strict = matches!(config.transport(), Ok(Transport::Files { .. }));
    let identities = Identities::new(app.clone(), host, config.trusted_identity_proxy().cloned());
    rooms(app)
        .layer(from_fn_with_state(identities, identity::layer))
        .layer(from_fn_with_state(Clients::behind(&config.server.trusted_proxies.0), client::layer))
        .layer(from_fn_with_state(Answers::new(metrics, is_strict), answer::layer))
}
