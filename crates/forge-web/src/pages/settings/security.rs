//! What signing in takes beside the password.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use forge_service::people::second_factor::{self, Enrolment, Protection};
use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;

use super::{Section, page};
use crate::WebState;
use crate::browser::{Browser, Confirmed, SignedIn};
use crate::error::{Problem, WebError, problems};
use crate::flash;
use crate::form::{Form, Nothing};
use crate::layout::{Field, summary};

const PATH: &str = "/settings/security";

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(PATH, get(show))
        .route("/settings/security/app", get(back).post(begin))
        .route("/settings/security/app/confirm", get(back).post(confirm))
        .route("/settings/security/app/remove", get(back).post(remove))
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn show(SignedIn(browser): SignedIn) -> Result<Response, WebError> {
    if browser.person.is_some() {
        let body = html! { h1 { "Security" } p { "While you act as an agent you sign in as yourself. Stop acting as one to change how." } };
        return Ok(page(StatusCode::OK, &browser, Section::Security, "Security", &body));
    }
    let protection = second_factor::protection(&browser.ctx).await?;
    let body = html! {
        h1 { "Security" }
        h2 { "Authenticator app" }
        (state(&browser, protection))
    };
    Ok(page(StatusCode::OK, &browser, Section::Security, "Security", &body))
}

fn state(browser: &Browser, protection: Protection) -> Markup {
    html! {
        @match protection.since {
            None => {
                p { "There is none: your password alone opens your account. With one, signing in takes a code of the app as well." }
                form method="post" action="/settings/security/app" {
                    (browser.form_field())
                    button type="submit" { "Set up an app" }
                }
            }
            Some(since) => {
                p { "Since " (&since.to_string()[..10]) " signing in takes a code of your app. " (protection.recovery_codes) " recovery codes are left." }
                form method="post" action="/settings/security/app/remove" {
                    (browser.form_field())
                    button.danger type="submit" { "Remove the app" }
                }
            }
        }
    }
}

/// Whoever had to enter the password on the way begins again from the page.
async fn back(SignedIn(_): SignedIn) -> Redirect {
    Redirect::to(PATH)
}

async fn begin(Confirmed(browser): Confirmed, Form(Nothing {}): Form<Nothing>) -> Result<Response, WebError> {
    let enrolment = second_factor::begin(&browser.ctx).await?;
    let body = html! {
        h1 { "Set up an app" }
        div.card {
            p { "Scan this with the app, or type the key into it. It is not shown again." }
            (picture(&enrolment))
            code.secret #seed { (enrolment.text.expose()) }
            (question(&browser, &[]))
        }
    };
    Ok(page(StatusCode::OK, &browser, Section::Security, "Set up an app", &body))
}

/// The address as a picture. What cannot be drawn can still be typed.
fn picture(enrolment: &Enrolment) -> Markup {
    let drawn = QrCode::new(enrolment.uri.expose().as_bytes())
        .map(|code| code.render::<svg::Color<'_>>().min_dimensions(220, 220).build());
    let svg = drawn.unwrap_or_default();
    let picture = svg
        .split_once("<svg")
        .map(|(_, rest)| format!("<svg role=\"img\" aria-label=\"The key as a picture\"{rest}"));
    html! { @if let Some(picture) = picture { div.qr { (PreEscaped(picture)) } } }
}

fn question(browser: &Browser, problems: &[Problem]) -> Markup {
    let field = Field {
        name: "code",
        label: "Code",
        kind: "text",
        value: "",
        hint: Some("The six digits that the app shows now."),
        autocomplete: "one-time-code",
    };
    html! {
        (summary(problems))
        form method="post" action="/settings/security/app/confirm" {
            (browser.form_field())
            (field.render(problems))
            button type="submit" { "Use the app from now on" }
        }
    }
}

async fn confirm(Confirmed(browser): Confirmed, Form(form): Form<Code>) -> Result<Response, WebError> {
    let codes = match second_factor::confirm(&browser.ctx, &form.code).await {
        Ok(codes) => codes,
        Err(error) => {
            let (status, problems) = problems(error)?;
            let body = html! { h1 { "Set up an app" } div.card { (question(&browser, &problems)) } };
            return Ok(page(status, &browser, Section::Security, "Set up an app", &body));
        }
    };
    let body = html! {
        h1 { "Your recovery codes" }
        div.card {
            p { "Signing in takes a code of the app from now on. Should you lose it, each of these is good once instead. Keep them somewhere else; they are not shown again." }
            pre.secret #recovery { @for code in &codes { (code.expose()) "\n" } }
            a.button href=(PATH) { "Done" }
        }
    };
    Ok(page(StatusCode::OK, &browser, Section::Security, "Your recovery codes", &body))
}

async fn remove(
    Confirmed(browser): Confirmed,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    second_factor::remove(&browser.ctx).await?;
    let mut response = Redirect::to(PATH).into_response();
    flash::leave(browser.ctx.settings(), response.headers_mut(), "The app was removed.");
    Ok(response)
}
