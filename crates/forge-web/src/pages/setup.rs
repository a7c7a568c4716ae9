//! Creating the first administrator through the one-time link.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use forge_service::Secret;
use forge_service::people::setup::{self, Administrator};
use maud::html;
use serde::Deserialize;

use super::sign_in::enter;
use crate::WebState;
use crate::browser::Browser;
use crate::error::{Problem, WebError, problems};
use crate::form::Form;
use crate::layout::{Field, page_with_status, summary};

pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/setup/{token}", get(show).post(submit))
}

#[derive(Default, Deserialize)]
struct Fields {
    login: String,
    email: String,
    password: String,
}

async fn show(browser: Browser, Path(token): Path<String>) -> Result<Response, WebError> {
    setup::check_link(&browser.ctx, &Secret::new(token)).await?;
    Ok(render(&browser, StatusCode::OK, &Fields::default(), &[]))
}

async fn submit(
    browser: Browser,
    Path(token): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let new = Administrator {
        login: fields.login.trim().to_owned(),
        email: fields.email.trim().to_owned(),
        password: fields.password.clone(),
    };
    match setup::create_administrator(&browser.ctx, &Secret::new(token), &new).await {
        Ok(signed_in) => Ok(enter(&browser, &signed_in, "/")),
        Err(error) => {
            let (status, problems) = problems(error)?;
            Ok(render(&browser, status, &fields, &problems))
        }
    }
}

fn render(browser: &Browser, status: StatusCode, fields: &Fields, problems: &[Problem]) -> Response {
    let login = Field {
        name: "login",
        label: "Login",
        kind: "text",
        value: &fields.login,
        hint: Some("Letters, digits and hyphens. It stands in the address of everything you own."),
        autocomplete: "username",
    };
    let email = Field {
        name: "email",
        label: "E-mail address",
        kind: "email",
        value: &fields.email,
        hint: None,
        autocomplete: "email",
    };
    let body = html! {
        div.card.narrow {
            h1 { "Set up this forge" }
            p { "You create the first administrator. This link works once." }
            (summary(problems))
            form method="post" {
                (browser.form_field())
                (login.render(problems))
                (email.render(problems))
                (super::password::new_password().render(problems))
                button type="submit" { "Create the administrator" }
            }
        }
    };
    page_with_status(status, browser, "Set up", &body)
}
