//! Letting a device in: the person types its code, reads who asks for what, and decides.
//!
//! The code is always typed, never taken from a link, so that nobody can prepare the page for somebody else.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use forge_service::oauth::decision::{self, DeviceDetails};
use forge_types::Timestamp;
use maud::html;
use serde::Deserialize;

use super::{scopes, task};
use crate::WebState;
use crate::browser::{Browser, Present};
use crate::error::{Problem, WebError, problems};
use crate::form::Form;
use crate::layout::{page_with_status, summary};

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/login/device", get(ask).post(review)).route("/login/device/decision", post(decide))
}

#[derive(Deserialize)]
struct Typed {
    user_code: String,
}

#[derive(Deserialize)]
struct Decided {
    user_code: String,
    decision: Decision,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Decline,
}

async fn ask(Present(browser): Present) -> Response {
    render_question(&browser, StatusCode::OK, &[])
}

async fn review(Present(browser): Present, Form(typed): Form<Typed>) -> Result<Response, WebError> {
    match decision::details(&browser.ctx, &typed.user_code).await {
        Ok(details) => Ok(render_details(&browser, &typed.user_code, &details)),
        Err(error) => {
            let (status, problems) = problems(error)?;
            Ok(render_question(&browser, status, &problems))
        }
    }
}

async fn decide(Present(browser): Present, Form(form): Form<Decided>) -> Result<Response, WebError> {
    let is_approved = form.decision == Decision::Approve;
    match decision::decide(&browser.ctx, &form.user_code, is_approved).await {
        Ok(details) => Ok(render_outcome(&browser, is_approved, &details)),
        Err(error) => {
            let (status, problems) = problems(error)?;
            Ok(render_question(&browser, status, &problems))
        }
    }
}

fn render_question(browser: &Browser, status: StatusCode, problems: &[Problem]) -> Response {
    let wrong = problems.iter().find(|problem| problem.field.as_deref() == Some("user_code"));
    let body = html! {
        div.card.narrow {
            h1 { "Connect a device" }
            (summary(problems))
            form method="post" action="/login/device" {
                (browser.form_field())
                div.field {
                    label for="user_code" { "Code" }
                    p.hint #user_code-hint { "Eight letters that your device or command line shows." }
                    @if let Some(problem) = wrong { p.error #user_code-error { (problem.message) } }
                    input.code type="text" id="user_code" name="user_code" required autocomplete="off"
                        autocapitalize="characters" spellcheck="false" maxlength="16" placeholder="XXXX-XXXX"
                        aria-describedby=(if wrong.is_some() { "user_code-hint user_code-error" } else { "user_code-hint" })
                        aria-invalid=[wrong.map(|_| "true")];
                }
                p.warning { "Type only a code that you asked for yourself. Whoever sends you one wants to be you." }
                button type="submit" { "Continue" }
            }
        }
    };
    page_with_status(status, browser, "Connect a device", &body)
}

fn render_details(browser: &Browser, user_code: &str, details: &DeviceDetails) -> Response {
    let login = browser.account().map_or("", |account| account.login.as_str());
    let body = html! {
        div.card {
            @if let Some(asked) = &details.task {
                h1 { "Let " (asked.agent.login) " work on a task?" }
                p { "It will act as itself, with the rights of " strong { (login) } ":" }
                (task::described(asked))
            } @else {
                h1 { "Let " (details.client_name) " act for you?" }
                p { "It will act as " strong { (login) } " and be able to:" }
                (scopes::list(&details.scopes))
            }
            dl {
                dt { "Application" }
                dd {
                    (details.client_name)
                    @if let Some(homepage) = &details.client_homepage { " (" (homepage) ")" }
                }
                dt { "Asked from" }
                dd { (details.ip.as_deref().unwrap_or("an unknown address")) }
                dt { "Program" }
                dd { (details.user_agent.as_deref().unwrap_or("unknown")) }
                dt { "Asked" }
                dd { (ago(browser.ctx.now(), details.created_at)) }
                @if details.task.is_none() {
                    dt { "Lasts" }
                    dd { (if details.wants_refresh { "until you revoke it; renewed every hour" } else { "until you revoke it" }) }
                }
                dt { "Code" }
                dd.code { (shown(user_code)) }
            }
            p.warning {
                "Approve only if you started this yourself just now, and this is the code your device shows. "
                "If somebody sent you the code, decline."
            }
            form method="post" action="/login/device/decision" {
                (browser.form_field())
                input type="hidden" name="user_code" value=(user_code);
                div.answers {
                    button type="submit" name="decision" value="approve" { "Approve" }
                    button type="submit" name="decision" value="decline" { "Decline" }
                }
            }
        }
    };
    page_with_status(StatusCode::OK, browser, "Connect a device", &body)
}

fn render_outcome(browser: &Browser, is_approved: bool, details: &DeviceDetails) -> Response {
    let title = if is_approved { "The device is connected" } else { "The device was declined" };
    let body = html! {
        div.card {
            h1 { (title) }
            @if is_approved {
                p { "You can close this page and go on in " (details.client_name) "." }
                @if details.task.is_none() {
                    p { "What you approved is among your " a href="/settings/tokens" { "tokens" } ", where you can revoke it." }
                }
            } @else {
                p { (details.client_name) " gets nothing. You can close this page." }
            }
        }
    };
    page_with_status(StatusCode::OK, browser, title, &body)
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.since(then).as_secs() {
        0..60 => "less than a minute ago".to_owned(),
        60..120 => "a minute ago".to_owned(),
        seconds => format!("{} minutes ago", seconds / 60),
    }
}

/// The code as the device shows it, however it was typed.
fn shown(typed: &str) -> String {
    let letters: String =
        typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    match letters.split_at_checked(4) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters,
    }
}
