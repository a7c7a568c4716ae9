//! Our extensions under `/api/ext/v1`: what GitHub has no route for.

mod clients;
mod device;
mod tokens;

use axum::Router;

use crate::ApiState;

/// Returns the routes of the extensions, without their prefix.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().merge(tokens::routes()).merge(device::routes()).merge(clients::routes())
}
