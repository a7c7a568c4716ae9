//! Acting as an agent in the browser: staying on and ending it, from the banner that every page has meanwhile.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use forge_service::{Secret, agents};
use forge_types::Error;
use forge_types::credential::{Credential, SWITCH_SESSION_LIFETIME};

use crate::WebState;
use crate::browser::{Browser, SignedIn};
use crate::cookies::Cookie;
use crate::error::WebError;
use crate::flash;
use crate::form::{Form, Nothing};

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/switch/renew", post(renew)).route("/switch/end", post(end))
}

/// Gives the browser a switch session and sends the person to the first page.
pub(super) fn enter(browser: &Browser, value: &Secret, session: &Credential, message: &str) -> Response {
    let settings = browser.ctx.settings();
    let age = session.expires_at.map_or(SWITCH_SESSION_LIFETIME, |ends| ends.since(browser.ctx.now()));
    let mut response = Redirect::to("/").into_response();
    Cookie::Switch.set(settings, response.headers_mut(), value.expose(), age);
    flash::leave(settings, response.headers_mut(), message);
    response
}

/// Returns the login of the agent that the person acts as.
fn agent(browser: &Browser) -> Result<&str, Error> {
    let agent = browser.person.as_ref().and(browser.account());
    agent.map(|agent| agent.login.as_str()).ok_or_else(|| Error::conflict("you are not acting as an agent"))
}

async fn renew(SignedIn(browser): SignedIn, Form(Nothing {}): Form<Nothing>) -> Result<Response, WebError> {
    let (_, value, session) = agents::renew_switch(&browser.ctx, agent(&browser)?).await?;
    Ok(enter(&browser, &value, &session, "You have 15 more minutes."))
}

async fn end(SignedIn(browser): SignedIn, Form(Nothing {}): Form<Nothing>) -> Result<Response, WebError> {
    let login = agent(&browser)?;
    agents::end_switch(&browser.ctx, login, None).await?;
    let settings = browser.ctx.settings();
    let mut response = Redirect::to(&format!("/settings/agents/{login}")).into_response();
    Cookie::Switch.remove(settings, response.headers_mut());
    flash::leave(settings, response.headers_mut(), &format!("You no longer act as {login}."));
    Ok(response)
}
