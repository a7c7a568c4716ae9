//! One's agents: `list` shows them with the invitations, `invite` makes one, `one` is the page of a single agent with
//! what can be done to it, `recovery` holds what needs a second look, `undo` tells of new bindings.

mod invite;
mod list;
mod one;
mod recovery;
mod rights;
mod undo;

pub(crate) use undo::notices;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::WebState;
use crate::browser::Browser;
use crate::flash;

const PATH: &str = "/settings/agents";

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(PATH, get(list::show))
        .route("/settings/agents/invite", get(invite::ask).post(invite::create))
        .route("/settings/agents/invites/{id}/withdraw", post(invite::withdraw))
        .route("/settings/agents/{login}", get(one::show).post(one::edit))
        .route("/settings/agents/{login}/rights", post(rights::save))
        .route("/settings/agents/{login}/suspend", post(one::suspend))
        .route("/settings/agents/{login}/restore", post(one::restore))
        .route("/settings/agents/{login}/switch", post(one::switch))
        .route("/settings/agents/{login}/switch/{id}/end", post(one::end_switch))
        .route("/settings/agents/{login}/reset", get(recovery::ask_reset).post(recovery::reset))
        .route("/settings/agents/{login}/undo", post(undo::create))
        .route("/settings/agents/{login}/unbind", get(recovery::ask_unbind).post(recovery::unbind))
}

/// Sends the person to `path`, where `message` is shown.
fn go(browser: &Browser, path: &str, message: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    flash::leave(browser.ctx.settings(), response.headers_mut(), message);
    response
}

/// Returns the path of the page of an agent.
fn path_of(login: &str) -> String {
    format!("{PATH}/{login}")
}
