//! Agents. The nine routes of the peer that has them answer under `/api/v3` too, with its field names and status codes;
//! our own fields stand beside them.

mod administration;
mod bindings;
mod invites;
mod keys;
mod registration;
mod state;
mod switch;
mod views;
mod workloads;

use axum::Router;
use axum::routing::{delete, get, patch, post, put};

use crate::ApiState;
use crate::error::unknown_route;

/// Returns registration, which takes a key instead of a credential.
pub(crate) fn registration_routes() -> Router<ApiState> {
    Router::new().route("/agents", post(registration::register).fallback(unknown_route))
}

/// Returns the other routes that the peer has.
pub(crate) fn peer_routes() -> Router<ApiState> {
    Router::new()
        .route("/user/agents", get(state::list_own))
        .route("/agent-invites", post(invites::create))
        .route("/agent-bindings/confirm", post(bindings::confirm))
        .route("/agent-bindings/{login}", patch(bindings::rename).delete(bindings::unbind))
        .route("/agent-bindings/{login}/reset-token", post(bindings::reset_token))
        .route("/agent-bindings/{login}/switch-session", post(switch::open))
        .route("/agent-bindings/{login}/refresh-session", post(switch::refresh))
}

/// Returns all routes about agents but registration.
pub(crate) fn routes() -> Router<ApiState> {
    peer_routes()
        .route("/agents/{login}", get(state::find).patch(state::update))
        .route("/agents/{login}/suspension", put(state::suspend).delete(state::restore))
        .route("/agents/{login}/keys", get(keys::list).post(keys::add))
        .route("/agents/{login}/keys/{id}", delete(keys::withdraw))
        .route("/agents/{login}/workload-bindings", get(workloads::list).post(workloads::bind))
        .route("/agents/{login}/workload-bindings/{id}", delete(workloads::unbind))
        .route("/admin/agents", post(administration::create))
        .route("/agent-bindings/{login}/undo", post(bindings::undo))
        .route("/agent-invites", get(invites::list))
        .route("/agent-invites/{id}", get(invites::find).delete(invites::withdraw))
        .route("/agent-bindings/{login}/switch-session", get(switch::list).delete(switch::end_all))
        .route("/agent-bindings/{login}/switch-session/{id}", delete(switch::end_one))
}
