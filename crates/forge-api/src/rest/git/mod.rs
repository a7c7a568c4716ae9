//! <https://docs.github.com/rest/git>: objects and refs as Git has them.

mod blobs;
mod commits;
mod identity;
mod refs;
mod tags;
mod trees;

use axum::Router;

use crate::ApiState;

pub(super) use identity::IdentityBody;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .merge(blobs::of_repository())
        .merge(commits::of_repository())
        .merge(refs::of_repository())
        .merge(tags::of_repository())
        .merge(trees::of_repository())
}
