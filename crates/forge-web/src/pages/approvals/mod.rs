//! What waits for a person: the list, one of them with what it would change, and deciding.
//!
//! Text of agents stands here beside buttons that do something. All of it goes through `inert`, and nothing that would change
//! is left out without a word.

mod changes;
mod list;
mod one;

use axum::Router;
use axum::routing::{get, post};

use crate::WebState;

const PATH: &str = "/approvals";

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(PATH, get(list::show))
        .route("/approvals/{id}", get(one::show))
        .route("/approvals/{id}/approve", post(one::approve).get(one::back))
        .route("/approvals/{id}/deny", post(one::deny).get(one::back))
}
