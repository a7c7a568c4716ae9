//! The two pages a browser passes through on its way to the provider and back.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use forge_service::people::identities::HostIdentity;
use forge_service::people::{handoff, sign_in};
use forge_service::{App, Secret};
use forge_types::Error;
use forge_web::browser::Browser;
use forge_web::error::WebError;
use forge_web::{Cookie, WebState};
use serde::Deserialize;
use url::Url;

use super::Provider;
use super::exchange::Journey;

/// Where signing in through the provider begins.
pub(crate) const BEGIN: &str = "/login/oidc";
const CALLBACK: &str = "/login/oidc/callback";
const LIFETIME: Duration = Duration::from_secs(600);

#[derive(Clone)]
struct Upstream {
    app: Arc<App>,
    provider: Arc<Provider>,
}

/// Returns the pages.
pub(crate) fn routes(app: &Arc<App>, provider: Arc<Provider>, state: &WebState) -> Router {
    let upstream = Upstream { app: app.clone(), provider };
    let pages = Router::new().route(BEGIN, get(begin)).route(CALLBACK, get(come_back)).with_state(upstream);
    forge_web::around(pages, state)
}

#[derive(Deserialize)]
struct Destination {
    #[serde(default)]
    return_to: String,
}

async fn begin(
    State(upstream): State<Upstream>,
    Query(destination): Query<Destination>,
) -> Result<Response, WebError> {
    let started = upstream.provider.begin(callback(&upstream.app), destination.return_to).await;
    let (url, journey) = started.map_err(unavailable)?;
    let text = serde_json::to_string(&journey).map_err(Error::internal)?;
    let sealed = handoff::seal(&upstream.app, &text)?;
    let mut response = Redirect::to(url.as_str()).into_response();
    Cookie::Provider.set(upstream.app.settings(), response.headers_mut(), &sealed, LIFETIME);
    Ok(response)
}

#[derive(Deserialize)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

async fn come_back(
    State(upstream): State<Upstream>,
    browser: Browser,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, WebError> {
    let settings = upstream.app.settings();
    let outcome = identity(&upstream, &headers, answer).await;
    let mut response = match outcome {
        Ok((identity, return_to)) => {
            let signed_in = sign_in::with_identity(&browser.ctx, &identity).await?;
            forge_web::enter(&browser, &signed_in, &return_to)
        }
        Err(problem) => {
            tracing::warn!(%problem, "signing in through the provider failed");
            sign_in::provider_refused(&browser.ctx, upstream.provider.issuer()).await?;
            let error = Error::forbidden("signing in through the provider did not work; begin again");
            WebError(error).into_response()
        }
    };
    Cookie::Provider.remove(settings, response.headers_mut());
    Ok(response)
}

async fn identity(
    upstream: &Upstream,
    headers: &HeaderMap,
    answer: Answer,
) -> Result<(HostIdentity, String), String> {
    let sealed = Cookie::Provider.find(upstream.app.settings(), headers);
    let text =
        sealed.and_then(|sealed| handoff::open(&upstream.app, &sealed)).ok_or("no sign-in was begun")?;
    let journey: Journey = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let state = Secret::new(answer.state.unwrap_or_default());
    if !state.matches(&Secret::new(journey.state.clone())) {
        return Err("the state is another sign-in's".to_owned());
    }
    if answer.iss.is_some_and(|issuer| issuer != upstream.provider.issuer()) {
        return Err("another issuer answers".to_owned());
    }
    let code = answer.code.ok_or("the provider gave no code")?;
    let now = upstream.app.now().as_seconds();
    let person = upstream.provider.finish(callback(&upstream.app), code, &journey, now).await?;
    let identity = HostIdentity {
        provider: upstream.provider.issuer().to_owned(),
        subject: person.subject,
        login: person.login,
        email: person.email,
        groups: Vec::new(),
        site_admin: None,
    };
    Ok((identity, journey.return_to))
}

fn callback(app: &App) -> Url {
    let mut url = app.settings().people_origin.clone();
    url.set_path(CALLBACK);
    url
}

fn unavailable(problem: String) -> Error {
    Error::unavailable(Duration::from_secs(30)).with_source(problem)
}
