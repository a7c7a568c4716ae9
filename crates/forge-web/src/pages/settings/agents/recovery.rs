//! What a person does to an agent only after a second look: replacing its credentials, and letting it go.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents;
use forge_types::credential::CredentialKind;
use maud::{Markup, html};

use super::super::{Section, page};
use super::{PATH, go, path_of};
use crate::browser::{Browser, Confirmed, SignedIn};
use crate::error::WebError;
use crate::form::{Form, Nothing};

pub(super) async fn ask_reset(
    Confirmed(browser): Confirmed,
    Path(login): Path<String>,
) -> Result<Response, WebError> {
    let agent = agents::find(&browser.ctx, &login).await?;
    let what = html! {
        p { "Every credential of " strong { (agent.account.login) } " ends at once, whoever has it, your sessions as the agent included, and its keys are removed. You get a new one to give to it." }
    };
    Ok(question(&browser, &login, "reset", "Replace its credentials", &what))
}

pub(super) async fn reset(
    Confirmed(browser): Confirmed,
    Path(login): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    let recovered = agents::recover(&browser.ctx, &login, None).await?;
    let is_bootstrap = recovered.credential.kind == CredentialKind::Bootstrap;
    let body = html! {
        h1 { "New credential of " (recovered.agent.account.login) }
        div.card {
            p { "Give this to the agent now. It is not shown again. " (recovered.revoked) @if recovered.revoked == 1 { " former credential has ended." } @else { " former credentials have ended." } }
            @if is_bootstrap { p { "It is a bootstrap secret: good only for being exchanged for short sessions." } }
            code.secret #token { (recovered.secret.expose()) }
            a.button href=(path_of(&recovered.agent.account.login)) { "Done" }
        }
    };
    Ok(page(StatusCode::OK, &browser, Section::Agents, "New credential", &body))
}

pub(super) async fn ask_unbind(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
) -> Result<Response, WebError> {
    let agent = agents::find(&browser.ctx, &login).await?;
    let what = html! {
        p { "You can no longer recover, suspend or act as " strong { (agent.account.login) } ". Its own credentials, and what it was given, stay; to take those away, replace its credentials or remove it from the repositories first." }
    };
    Ok(question(&browser, &login, "unbind", "Let it go", &what))
}

pub(super) async fn unbind(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    let (agent, ended) = agents::unbind(&browser.ctx, &login).await?;
    let message = match ended {
        0 => format!("{} is no longer yours.", agent.account.login),
        _ => format!("{} is no longer yours, and your sessions as it have ended.", agent.account.login),
    };
    Ok(go(&browser, PATH, &message))
}

fn question(browser: &Browser, login: &str, action: &str, title: &str, what: &Markup) -> Response {
    let body = html! {
        h1 { (title) }
        form.card method="post" action={ (path_of(login)) "/" (action) } {
            (browser.form_field())
            (what)
            button.danger type="submit" { (title) }
            " " a.button.plain href=(path_of(login)) { "Cancel" }
        }
    };
    page(StatusCode::OK, browser, Section::Agents, title, &body)
}
