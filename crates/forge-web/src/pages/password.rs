//! Choosing a password through a one-time link.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use forge_service::Secret;
use forge_service::people::links;
use maud::html;
use serde::Deserialize;

use super::sign_in::enter;
use crate::WebState;
use crate::browser::Browser;
use crate::error::{Problem, WebError, problems};
use crate::form::Form;
use crate::layout::{Field, page_with_status, summary};

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/password/{token}", get(show).post(submit))
}

#[derive(Deserialize)]
struct Chosen {
    password: String,
}

/// Returns the field in which a password is chosen.
pub(super) const fn new_password() -> Field<'static> {
    Field {
        name: "password",
        label: "Password",
        kind: "password",
        value: "",
        hint: Some("At least 12 characters. Several words are easier to remember than odd letters."),
        autocomplete: "new-password",
    }
}

async fn show(browser: Browser, Path(token): Path<String>) -> Result<Response, WebError> {
    let account = links::account(&browser.ctx, &Secret::new(token)).await?;
    Ok(render(&browser, StatusCode::OK, &account.login, &[]))
}

async fn submit(
    browser: Browser,
    Path(token): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, WebError> {
    let secret = Secret::new(token);
    match links::set_password(&browser.ctx, &secret, &chosen.password).await {
        Ok(signed_in) => Ok(enter(&browser, &signed_in, "/")),
        Err(error) => {
            let (status, problems) = problems(error)?;
            let account = links::account(&browser.ctx, &secret).await?;
            Ok(render(&browser, status, &account.login, &problems))
        }
    }
}

fn render(browser: &Browser, status: StatusCode, login: &str, problems: &[Problem]) -> Response {
    let body = html! {
        div.card.narrow {
            h1 { "Choose a password" }
            p { "For the account " strong { (login) } ". This link works once." }
            (summary(problems))
            form method="post" {
                (browser.form_field())
                input type="text" name="username" value=(login) autocomplete="username" hidden;
                (new_password().render(problems))
                button type="submit" { "Save and sign in" }
            }
        }
    };
    page_with_status(status, browser, "Choose a password", &body)
}
