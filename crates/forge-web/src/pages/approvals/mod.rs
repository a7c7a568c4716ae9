//! What waits for a person: the list, one of them with what it would change, and deciding.
//!
//! Text of agents stands here beside buttons that do something. All of it goes through `inert`, and nothing that would change
//! is left out without a word.

mod changes;
mod files;
mod list;
mod one;
mod title;

use axum::Router;
use axum::routing::{get, post};
use forge_types::approval::ApprovalState;

use crate::WebState;

const PATH: &str = "/approvals";

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(PATH, get(list::show))
        .route("/approvals/{id}", get(one::show))
        .route("/approvals/{id}/approve", post(one::approve).get(one::back))
        .route("/approvals/{id}/deny", post(one::deny).get(one::back))
}

/// Says where something stands, in words of people.
const fn state_words(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "waits for a decision",
        ApprovalState::Approved => "approved, and done when the request is made again",
        ApprovalState::Denied => "denied",
        ApprovalState::Expired => "over: nobody decided in time",
        ApprovalState::Cancelled => "withdrawn",
        ApprovalState::Consumed => "approved and done",
        ApprovalState::Failed => "approved, but it could not be done",
    }
}
