//! The first page.

use axum::Router;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::html;

use crate::WebState;
use crate::browser::Browser;
use crate::layout;

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/", get(home))
}

async fn home(browser: Browser) -> Response {
    match browser.account() {
        None => Redirect::to("/login").into_response(),
        Some(_) => signed_in(&browser).into_response(),
    }
}

fn signed_in(browser: &Browser) -> Html<String> {
    let origin = browser.ctx.settings().origin.clone();
    let host = origin.host_str().unwrap_or_default();
    layout::page(
        browser,
        "Home",
        &html! {
            h1 { "Your forge" }
            p { "This forge speaks to GitHub's clients. On your own machine:" }
            pre.secret { "gh auth login --hostname " (host) " --web" }
            ul {
                li { a href="/login/device" { "Enter a code that a device shows" } }
                li { a href="/settings/agents" { "Agents" } }
                li { a href="/settings/tokens" { "Tokens" } }
            }
        },
    )
}
