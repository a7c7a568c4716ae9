//! All routes of all rooms, and the layers in front of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use forge_api::ApiState;
use forge_service::App;
use forge_web::{SignInProvider, WebState};

use crate::config::{Config, Transport};
use crate::front::identity::{Authenticate, Identities};
use crate::front::{Answers, Clients, Hosts, answer, client, drain, hosts, identity};
use crate::net::Metrics;
use crate::oidc::{self, Provider};

/// Returns the routes of all rooms, under the host's name and under its API name.
///
/// Nothing stands in front of them: who is at the other end is for [`crate::ForgeBuilder`]'s layers, or for a test.
pub fn rooms(app: &Arc<App>) -> Router {
    rooms_with(app, None)
}

fn rooms_with(app: &Arc<App>, provider: Option<Arc<Provider>>) -> Router {
    let state = ApiState { app: app.clone() };
    let graphql = forge_graphql::GraphQl::new();
    let graphql = |path| forge_api::around_graphql(forge_graphql::routes(path, graphql.clone()), &state);
    let pages = pages(app, provider);
    let main = forge_api::router(&state).merge(graphql("/api/graphql")).merge(pages);
    let api = forge_api::api_host_router(&state).merge(graphql("/graphql"));
    let host = app.settings().origin.host_str().unwrap_or_default().to_owned();
    // As a fallback, the rooms see the request untouched: no layer here runs after a route was chosen.
    Router::new().fallback_service(main).layer(from_fn_with_state(Hosts::new(&host, api), hosts::layer))
}

/// Returns the pages, with those that lead through a provider where one is configured.
fn pages(app: &Arc<App>, provider: Option<Arc<Provider>>) -> Router {
    let mut state = WebState::new(app.clone());
    let Some(provider) = provider else { return forge_web::router(&state) };
    state.provider =
        Some(SignInProvider { label: provider.label().to_owned(), path: oidc::BEGIN.to_owned() });
    forge_web::router(&state).merge(oidc::routes(app, provider, &state))
}

/// Returns everything that answers requests.
pub(super) fn router(
    app: &Arc<App>,
    config: &Config,
    host: Option<Arc<dyn Authenticate>>,
    provider: Option<Arc<Provider>>,
    metrics: Arc<Metrics>,
) -> Router {
    let is_strict = matches!(config.transport(), Ok(Transport::Files { .. }));
    let identities = Identities::new(app.clone(), host, config.trusted_identity_proxy().cloned());
    rooms_with(app, provider)
        .layer(from_fn_with_state(identities, identity::layer))
        .layer(from_fn_with_state(Clients::behind(&config.server.trusted_proxies.0), client::layer))
        .layer(from_fn(drain::layer))
        .layer(from_fn_with_state(Answers::new(metrics, is_strict), answer::layer))
}
