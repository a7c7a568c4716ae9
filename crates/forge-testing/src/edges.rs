//! Every edge mounted as the server mounts it.

use std::sync::Arc;

use axum::Router;
use forge_service::App;

/// Returns the router of the whole forge.
pub(crate) fn router(app: &Arc<App>) -> Router {
    forge_server::rooms(app)
}
