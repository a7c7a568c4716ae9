//! Signing in and out.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use forge_service::agents;
use forge_service::people::sessions::{self, SignedIn};
use forge_service::people::sign_in;
use maud::html;
use serde::Deserialize;

use crate::WebState;
use crate::browser::Browser;
use crate::cookies::Cookie;
use crate::error::{Problem, WebError, problems};
use crate::flash;
use crate::form::{Form, Nothing};
use crate::layout::{Field, page_with_status, summary};

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/login", get(show).post(submit)).route("/logout", post(sign_out))
}

#[derive(Deserialize)]
struct Destination {
    #[serde(default)]
    return_to: String,
    /// Whether the person is to confirm to be present now, however recently that was done before.
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
struct Credentials {
    login: String,
    password: String,
    /// Of the person's authenticator app; a code alone is enough to confirm a session.
    #[serde(default)]
    code: String,
    #[serde(default)]
    return_to: String,
}

async fn show(
    State(state): State<WebState>,
    browser: Browser,
    Query(destination): Query<Destination>,
) -> Response {
    let is_enough = if destination.confirm { browser.is_confirmed() } else { browser.is_fresh() };
    if is_enough {
        return Redirect::to(own_path(&destination.return_to)).into_response();
    }
    let login = browser.account().map(|account| account.login.clone()).unwrap_or_default();
    render(&state, &browser, StatusCode::OK, &login, &destination.return_to, &[])
}

async fn submit(
    State(state): State<WebState>,
    browser: Browser,
    Form(form): Form<Credentials>,
) -> Result<Response, WebError> {
    let is_by_code =
        browser.own().caller().session.is_some() && form.password.is_empty() && !form.code.is_empty();
    let outcome = match is_by_code {
        true => sign_in::with_code(browser.own(), &form.code).await,
        false => sign_in::with_password(&browser.ctx, form.login.trim(), &form.password, &form.code).await,
    };
    match outcome {
        Ok(signed_in) => Ok(enter(&browser, &signed_in, &form.return_to)),
        Err(error) => {
            let (status, problems) = problems(error)?;
            Ok(render(&state, &browser, status, form.login.trim(), &form.return_to, &problems))
        }
    }
}

/// Gives the browser its session and sends the person on.
#[must_use]
pub fn enter(browser: &Browser, signed_in: &SignedIn, return_to: &str) -> Response {
    let settings = browser.ctx.settings();
    let mut response = Redirect::to(own_path(return_to)).into_response();
    let headers = response.headers_mut();
    Cookie::Session.set(settings, headers, signed_in.cookie.expose(), sessions::LIFETIME);
    Cookie::Form.remove(settings, headers);
    response
}

async fn sign_out(browser: Browser, Form(Nothing {}): Form<Nothing>) -> Result<Response, WebError> {
    if let Some(agent) = browser.person.as_ref().and(browser.account()) {
        agents::end_switch(&browser.ctx, &agent.login, None).await?;
    }
    sessions::sign_out(browser.own()).await?;
    let settings = browser.ctx.settings();
    let mut response = Redirect::to("/login").into_response();
    Cookie::Session.remove(settings, response.headers_mut());
    Cookie::Switch.remove(settings, response.headers_mut());
    flash::leave(settings, response.headers_mut(), "You have signed out.");
    Ok(response)
}

/// Returns `path` if it leads to a page of ours, else the first page: nobody is sent elsewhere from here.
fn own_path(path: &str) -> &str {
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { path } else { "/" }
}

fn render(
    state: &WebState,
    browser: &Browser,
    status: StatusCode,
    login: &str,
    return_to: &str,
    problems: &[Problem],
) -> Response {
    let is_again = browser.account().is_some();
    let title = if is_again { "Confirm that it is you" } else { "Sign in" };
    let name = Field {
        name: "login",
        label: "Login",
        kind: "text",
        value: login,
        hint: None,
        autocomplete: "username",
    };
    let password = Field {
        name: "password",
        label: "Password",
        kind: "password",
        value: "",
        hint: None,
        autocomplete: "current-password",
    };
    let code = Field {
        name: "code",
        label: "Code",
        kind: "text",
        value: "",
        hint: Some(match is_again {
            true => "Of your authenticator app, if you have one: it is enough without the password.",
            false => "Of your authenticator app, if you have set one up; or a recovery code.",
        }),
        autocomplete: "one-time-code",
    };
    let body = html! {
        div.card.narrow {
            h1 { (title) }
            @if is_again { p { (why_again(return_to)) } }
            (summary(problems))
            form method="post" action="/login" {
                (browser.form_field())
                input type="hidden" name="return_to" value=(own_path(return_to));
                (name.render(problems))
                @if is_again { (password.optional(problems)) } @else { (password.render(problems)) }
                (code.optional(problems))
                button type="submit" { "Sign in" }
            }
            @if let Some(provider) = &state.provider {
                p { "or " a href={ (provider.path) "?return_to=" (own_path(return_to)) } { "sign in with " (provider.label) } }
            }
        }
    };
    page_with_status(status, browser, title, &body)
}

/// Says why somebody who is signed in signs in again.
fn why_again(return_to: &str) -> &'static str {
    if own_path(return_to).starts_with("/approvals/") {
        "You are about to decide about what an agent asks for, so show first that it is you."
    } else {
        "What you are about to do gives somebody access, so sign in again first."
    }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn people_are_sent_to_our_own_pages_only() {
        assert_eq!(own_path("/login/device?x=1"), "/login/device?x=1");
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "\\\\evil.example",
            "\\evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ /evil.example",
            "///evil.example",
            "/a\r\nb",
            "evil",
            "javascript:alert(1)",
            "/é",
        ] {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere}");
        }
    }
}
