//! REST: a file per page of GitHub's documentation, a function per operation. `ext` holds what GitHub does not have.

mod branches;
mod collaborators;
mod commits;
mod contents;
mod credentials;
mod ext;
mod git;
mod gitignore;
mod labels;
mod licenses;
mod meta;
mod orgs;
mod place;
mod repos;
mod search;
mod teams;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use forge_service::Surface;
use forge_service::limits::Resource;

use crate::{ApiState, error, etag, json_body_limit, layer};

/// Returns the routes of GitHub's API, without their prefix.
pub(crate) fn v3_routes() -> Router<ApiState> {
    Router::new()
        .merge(meta::routes())
        .merge(users::routes())
        .merge(orgs::routes())
        .merge(teams::routes())
        .merge(repos::routes())
        .merge(search::routes())
        .merge(credentials::routes())
        .merge(gitignore::routes())
        .merge(licenses::routes())
        .merge(ext::agents::peer_routes())
        .nest("/repos/{owner}/{repo}", of_repository().layer(from_fn(place::moved)))
        .nest("/repositories/{repository_id}", of_repository())
}

/// Returns the routes of one repository, however it is named.
fn of_repository() -> Router<ApiState> {
    Router::new()
        .merge(repos::of_repository())
        .merge(branches::of_repository())
        .merge(contents::of_repository())
        .merge(git::of_repository())
        .merge(commits::of_repository())
        .merge(collaborators::of_repository())
        .merge(labels::of_repository())
        .merge(teams::of_repository())
}

/// Returns the root with a slash at its end, as clients ask for it; a nested root has none.
pub(crate) fn root_routes() -> Router<ApiState> {
    Router::new().route("/api/v3/", get(meta::root).fallback(error::unknown_route))
}

/// Returns where the keys are that checkpoints of the audit log are verified with, at the root of the host.
pub(crate) fn well_known_routes() -> Router<ApiState> {
    Router::new().route("/.well-known/forge-audit-keys", get(ext::audit_checkpoints::keys))
}

/// Returns the routes of our extensions, without their prefix.
pub(crate) fn ext_routes() -> Router<ApiState> {
    ext::routes()
}

/// Returns the routes that take something else than a credential, with their layers, to be merged under both prefixes.
pub(crate) fn keyed_routes(state: &ApiState) -> Router<ApiState> {
    ext::agents::registration_routes()
        .layer(json_body_limit())
        .layer(from_fn_with_state(door(state), layer::layer_without_credentials))
}

/// Puts the layers of every REST route around `routes`.
pub(crate) fn layered(routes: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    routes
        .layer(from_fn(etag::layer))
        .layer(json_body_limit())
        .layer(from_fn_with_state(door(state), layer::layer))
}

fn door(state: &ApiState) -> layer::Door {
    layer::Door { app: Arc::clone(&state.app), surface: Surface::Rest, resource: Resource::Core }
}
