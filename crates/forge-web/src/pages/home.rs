//! The first page.

use axum::Router;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::WebState;
use crate::browser::Browser;
use crate::error::WebError;
use crate::layout;
use crate::pages::settings::notices;

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/", get(home))
}

async fn home(browser: Browser) -> Result<Response, WebError> {
    match browser.account() {
        None => Ok(Redirect::to("/login").into_response()),
        Some(_) => Ok(signed_in(&browser, &notices(&browser).await?).into_response()),
    }
}

fn signed_in(browser: &Browser, notices: &Markup) -> Html<String> {
    let origin = browser.ctx.settings().origin.clone();
    let host = origin.host_str().unwrap_or_default();
    layout::page(
        browser,
        "Home",
        &html! {
            h1 { "Your forge" }
            (notices)
            p { "This forge speaks to GitHub's clients. On your own machine:" }
            pre.secret { "gh auth login --hostname " (host) " --web" }
            ul {
                li { a href="/login/device" { "Enter a code that a device shows" } }
                li { a href="/approvals" { "Approvals" } }
                li { a href="/settings/agents" { "Agents" } }
                li { a href="/settings/tokens" { "Tokens" } }
            }
        },
    )
}
