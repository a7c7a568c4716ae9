//! The pages, a file each.

mod approvals;
mod authorize;
mod device;
mod home;
mod password;
mod scopes;
pub mod settings;
mod setup;
mod sign_in;
mod switch;
mod task;

pub use sign_in::enter;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use forge_types::Error;

use crate::WebState;
use crate::error::WebError;

pub(crate) const LARGEST_FORM: usize = 64 * 1024;

/// Returns the routes of all pages.
pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .merge(home::routes())
        .merge(setup::routes())
        .merge(password::routes())
        .merge(sign_in::routes())
        .merge(device::routes())
        .merge(authorize::routes())
        .merge(approvals::routes())
        .merge(settings::routes())
        .merge(switch::routes())
        .fallback(absent)
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// What people see at an address that leads nowhere.
async fn absent() -> WebError {
    WebError(Error::not_found())
}
