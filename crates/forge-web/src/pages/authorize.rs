//! Consent: an application has sent the person here and asks for access.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use forge_service::oauth::authorize::{self, Consent, Refusal};
use maud::html;
use serde::Deserialize;

use super::{scopes, task};
use crate::WebState;
use crate::browser::{Browser, POLICY, sign_in_and_return};
use crate::error::WebError;
use crate::form::Form;
use crate::layout::page;

const PATH: &str = "/login/oauth/authorize";

pub(super) fn routes() -> Router<WebState> {
    Router::new().route(PATH, get(ask).post(decide))
}

#[derive(Deserialize)]
struct Decided {
    request: String,
    decision: Decision,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Decline,
}

async fn ask(browser: Browser, RawQuery(query): RawQuery) -> Result<Response, WebError> {
    let query = query.unwrap_or_default();
    let review = authorize::review(&browser.ctx, &query).await;
    match review {
        Err(Refusal::Told(error)) => Err(error.into()),
        // Nobody is sent on before signing in: a link to us must not be a way to somewhere else.
        Ok(_) | Err(Refusal::SentBack(_)) if !browser.is_fresh() => {
            Ok(sign_in_and_return(&format!("{PATH}?{query}")))
        }
        Err(Refusal::SentBack(url)) => Ok(Redirect::to(url.as_str()).into_response()),
        Ok(consent) => Ok(render(&browser, &query, &consent)),
    }
}

async fn decide(browser: Browser, Form(form): Form<Decided>) -> Result<Response, WebError> {
    if !browser.is_fresh() {
        return Ok(sign_in_and_return(&format!("{PATH}?{}", form.request)));
    }
    let is_approved = form.decision == Decision::Approve;
    match authorize::decide(&browser.ctx, &form.request, is_approved).await {
        Ok(url) => Ok(Redirect::to(url.as_str()).into_response()),
        Err(Refusal::SentBack(url)) => Ok(Redirect::to(url.as_str()).into_response()),
        Err(Refusal::Told(error)) => Err(error.into()),
    }
}

fn render(browser: &Browser, query: &str, consent: &Consent) -> Response {
    let login = browser.account().map_or("", |account| account.login.as_str());
    let destination = consent.redirect_uri.host_str().unwrap_or_default();
    let is_local = consent.redirect_uri.scheme() == "http";
    let body = html! {
        div.card {
            @if let Some(asked) = &consent.task {
                h1 { "Let " (asked.agent.login) " work on a task?" }
                p { "It will act as itself, with the rights of " strong { (login) } ":" }
                (task::described(asked))
            } @else {
                h1 { "Let " (consent.client_name) " act for you?" }
                p { "It will act as " strong { (login) } " and be able to:" }
                (scopes::list(&consent.scopes))
            }
            dl {
                dt { "Application" }
                dd {
                    (consent.client_name)
                    @if let Some(homepage) = &consent.client_homepage { " (" (homepage) ")" }
                }
                dt { "Sends you to" }
                dd { (destination) }
            }
            @if is_local {
                p.warning { "This application runs on your own machine. Approve only if you started it yourself just now." }
            }
            form method="post" action=(PATH) {
                (browser.form_field())
                input type="hidden" name="request" value=(query);
                div.answers {
                    button type="submit" name="decision" value="approve" { "Approve" }
                    button type="submit" name="decision" value="decline" { "Decline" }
                }
            }
        }
    };
    let title = format!("Let {} act for you?", consent.client_name);
    (StatusCode::OK, policy(consent), page(browser, &title, &body)).into_response()
}

/// Chromium applies `form-action` to where a form's answer redirects too, so the client's origin is named here. A
/// policy cannot name an IPv6 address, hence the scheme.
fn policy(consent: &Consent) -> HeaderMap {
    let uri = &consent.redirect_uri;
    let source = match uri.host_str() {
        Some(host) if host.starts_with('[') => format!("{}:", uri.scheme()),
        _ => uri.origin().ascii_serialization(),
    };
    let policy = POLICY.replace("form-action 'self'", &format!("form-action 'self' {source}"));
    let mut headers = HeaderMap::new();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers
}
