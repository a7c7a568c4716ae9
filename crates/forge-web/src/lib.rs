//! The HTTP edge for people: pages rendered on the server, which work without scripts.
//!
//! Rules of this room: a handler reads a form, calls one function of `forge-service` and renders; text of users is
//! escaped by the templates alone. `browser` says who is there and makes every answer safe, `form` is the only way to a
//! submitted form, `layout` the only way to a page, `inert` the way of text that could deceive; `pages` has a file per page.

mod avatars;
pub mod browser;
mod cookies;
pub mod error;
mod flash;
pub mod form;
mod inert;
pub mod layout;
pub mod pages;
mod style;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use forge_service::App;

pub use cookies::Cookie;
pub use pages::enter;

/// What pages share.
#[derive(Clone)]
pub struct WebState {
    /// The forge.
    pub app: Arc<App>,
    /// A provider through which people may sign in.
    pub provider: Option<SignInProvider>,
}

/// A provider through which people may sign in.
#[derive(Clone, Debug)]
pub struct SignInProvider {
    /// What people know it as.
    pub label: String,
    /// Where signing in through it begins.
    pub path: String,
}

impl WebState {
    /// Returns the state of pages of a forge where people sign in with passwords.
    #[must_use]
    pub const fn new(app: Arc<App>) -> Self {
        Self { app, provider: None }
    }
}

/// Returns all pages.
pub fn router(state: &WebState) -> Router {
    pages::routes()
        .layer(from_fn_with_state(state.clone(), browser::layer))
        .merge(style::routes())
        .merge(avatars::routes())
        .with_state(state.clone())
}

/// Puts what surrounds every page around pages that stand elsewhere.
pub fn around(pages: Router<()>, state: &WebState) -> Router<()> {
    pages.layer(from_fn_with_state(state.clone(), browser::layer))
}
