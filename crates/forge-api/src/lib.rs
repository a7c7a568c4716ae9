//! The HTTP edge: REST v3, our extensions, OAuth endpoints and git over HTTP.
//!
//! Rules of this room: a handler decodes, calls one function of `forge-service` and encodes. No SQL, no Git objects, no
//! rights. `layer` makes the request context and adds what every answer carries; `error` is the one place that turns
//! errors into answers; `rest` holds a file per page of GitHub's documentation, `git` what `git` itself asks for.

mod base64;
pub mod body;
pub mod context;
pub mod error;
mod etag;
pub mod git;
mod layer;
mod oauth;
pub mod page;
mod prefer;
mod proof;
pub mod rest;
pub mod token;
pub mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::from_fn_with_state;
use forge_service::limits::Resource;
use forge_service::{App, Surface};

use layer::Door;

pub use context::{Certified, Ctx, Peer, PreAuthenticated};
pub use proof::ByApiHost;

/// The largest JSON body that is read.
pub const MAX_JSON_BODY: usize = 10 * 1024 * 1024;

/// What handlers share.
#[derive(Clone)]
pub struct ApiState {
    /// The forge.
    pub app: Arc<App>,
}

impl FromRef<ApiState> for Arc<App> {
    fn from_ref(state: &ApiState) -> Self {
        Self::clone(&state.app)
    }
}

/// Returns the routes of REST v3 under `/api/v3`, of our extensions under `/api/ext/v1` and of the authorization
/// server, and those of Git.
pub fn router(state: &ApiState) -> Router {
    let v3 =
        rest::v3_routes().fallback(error::unknown_route).method_not_allowed_fallback(error::unknown_route);
    let ext =
        rest::ext_routes().fallback(error::unknown_route).method_not_allowed_fallback(error::unknown_route);
    Router::new()
        .nest("/api/v3", rest::layered(v3, state).merge(rest::keyed_routes(state)))
        .merge(rest::layered(rest::root_routes(), state))
        .nest("/api/ext/v1", rest::layered(ext, state).merge(rest::keyed_routes(state)))
        .merge(oauth::routes())
        .merge(rest::well_known_routes())
        .with_state(state.clone())
        .merge(git::router(state))
}

/// Returns the routes of REST v3 at the root, as `api.HOST` has them.
pub fn api_host_router(state: &ApiState) -> Router {
    let v3 =
        rest::v3_routes().fallback(error::unknown_route).method_not_allowed_fallback(error::unknown_route);
    rest::layered(v3, state).merge(rest::keyed_routes(state)).with_state(state.clone())
}

/// Puts the layer that REST routes have around the routes of the GraphQL edge: who asks is found out in one place, and
/// every answer carries the same headers. The routes find the request's context among its extensions.
pub fn around_graphql(routes: Router, state: &ApiState) -> Router {
    let door = Door { app: Arc::clone(&state.app), surface: Surface::GraphQl, resource: Resource::GraphQl };
    routes.layer(from_fn_with_state(door, layer::layer))
}

/// Returns the limit on bodies that handlers read whole.
pub fn json_body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_JSON_BODY)
}
