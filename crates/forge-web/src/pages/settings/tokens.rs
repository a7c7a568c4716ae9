//! One's own tokens.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use forge_service::Secret;
use forge_service::credentials::{self, TokenRequest};
use forge_types::credential::{Credential, CredentialKind};
use forge_types::id::CredentialId;
use forge_types::page::{Page, PageRequest};
use forge_types::{Error, Scope, Scopes};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Section, page};
use crate::WebState;
use crate::browser::{Browser, Present, SignedIn};
use crate::error::{Problem, WebError, problems};
use crate::flash;
use crate::form::{Form, Nothing, all, one};
use crate::layout::{Field, summary};
use crate::pages::scopes::words;

const PATH: &str = "/settings/tokens";
const DAY: u64 = 24 * 3600;
/// What most programs need; everything else can be had over the API.
const OFFERED: &[Scope] = &[
    Scope::Repo,
    Scope::PublicRepo,
    Scope::DeleteRepo,
    Scope::Workflow,
    Scope::ReadOrg,
    Scope::WriteOrg,
    Scope::AdminOrg,
    Scope::Gist,
    Scope::Notifications,
    Scope::User,
    Scope::ReadUser,
    Scope::UserEmail,
    Scope::Project,
    Scope::ReadProject,
    Scope::AdminPublicKey,
    Scope::AdminSshSigningKey,
    Scope::AdminGpgKey,
];

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(PATH, get(list).post(create))
        .route("/settings/tokens/new", get(ask))
        .route("/settings/tokens/{id}/revoke", post(revoke))
}

#[derive(Deserialize)]
struct Number {
    page: Option<u32>,
}

async fn list(SignedIn(browser): SignedIn, Query(number): Query<Number>) -> Result<Response, WebError> {
    let request = PageRequest::new(number.page.unwrap_or(1), 50);
    let found = credentials::list(&browser.ctx, request).await?;
    Ok(page(StatusCode::OK, &browser, Section::Tokens, "Tokens", &rendered_list(&browser, request, &found)))
}

fn rendered_list(browser: &Browser, request: PageRequest, found: &Page<Credential>) -> Markup {
    html! {
        div.row { h1 { "Tokens" } a.button href="/settings/tokens/new" { "New token" } }
        p { "Programs use these to act as you. A token's value is shown once, when it is created." }
        @if found.items.is_empty() { p.muted { "There are none." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "May" } th scope="col" { "Used" } th scope="col" { "Ends" } th scope="col" { span.unseen { "Action" } } } }
                    tbody { @for credential in &found.items { (row(browser, credential)) } }
                }
            }
        }
        p {
            @if request.number() > 1 { a href={ (PATH) "?page=" (request.number() - 1) } { "Newer" } " " }
            @if found.has_next { a href={ (PATH) "?page=" (request.number() + 1) } { "Older" } }
        }
    }
}

fn row(browser: &Browser, credential: &Credential) -> Markup {
    let kind = match credential.kind {
        CredentialKind::Personal => "personal token",
        CredentialKind::OAuth => "application",
        CredentialKind::Refresh => "renewal of an application",
        CredentialKind::Bootstrap
        | CredentialKind::Session
        | CredentialKind::Switch
        | CredentialKind::Task
        | CredentialKind::Git
        | CredentialKind::Tool => credential.kind.as_str(),
    };
    html! {
        tr {
            td { strong { (credential.name) } br; span.muted { (kind) ", …" code { (credential.tail) } } }
            td {
                @match &credential.scopes {
                    None => "everything you may",
                    Some(scopes) if scopes.is_empty() => "see what everyone can see",
                    Some(scopes) => code { (scopes.join(", ")) },
                }
            }
            td { (credential.last_used_at.map_or_else(|| "never".to_owned(), day)) }
            td { (credential.expires_at.map_or_else(|| "never".to_owned(), day)) }
            td {
                form method="post" action={ (PATH) "/" (credential.id) "/revoke" } {
                    (browser.form_field())
                    button.danger type="submit" aria-label={ "Revoke " (credential.name) } { "Revoke" }
                }
            }
        }
    }
}

fn day(time: forge_types::Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

async fn ask(Present(browser): Present) -> Response {
    render_form(&browser, StatusCode::OK, &[], &[])
}

async fn create(
    Present(browser): Present,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let outcome = match read(&browser, &pairs) {
        Ok(request) => credentials::create(&browser.ctx, &request).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((secret, credential)) => Ok(render_created(&browser, &secret, &credential)),
        Err(error) => {
            let (status, problems) = problems(error)?;
            Ok(render_form(&browser, status, &pairs, &problems))
        }
    }
}

fn read(browser: &Browser, pairs: &[(String, String)]) -> Result<TokenRequest, Error> {
    let unreadable = || Error::malformed("the form could not be read");
    let scopes = Scopes::parse(&all(pairs, "scopes").join(" ")).map_err(|_| unreadable())?;
    let expires_at = match one(pairs, "lifetime") {
        "never" => None,
        days => {
            let days: u64 = days.parse().map_err(|_| unreadable())?;
            Some(browser.ctx.now().plus(Duration::from_secs(days.min(3660) * DAY)))
        }
    };
    Ok(TokenRequest { name: one(pairs, "name").to_owned(), scopes: Some(scopes), expires_at })
}

fn render_form(
    browser: &Browser,
    status: StatusCode,
    pairs: &[(String, String)],
    problems: &[Problem],
) -> Response {
    let name = Field {
        name: "name",
        label: "Name",
        kind: "text",
        value: one(pairs, "name"),
        hint: Some("What the token is for, so that you know later whether you still need it."),
        autocomplete: "off",
    };
    let (ticked, lifetime) = (all(pairs, "scopes"), one(pairs, "lifetime"));
    let body = html! {
        h1 { "New token" }
        (summary(problems))
        form.card method="post" action=(PATH) {
            (browser.form_field())
            (name.render(problems))
            div.field {
                label for="lifetime" { "Ends" }
                select id="lifetime" name="lifetime" {
                    @for (value, label) in [("7", "in 7 days"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("never", "never")] {
                        option value=(value) selected[value == lifetime || (lifetime.is_empty() && value == "30")] { (label) }
                    }
                }
            }
            fieldset {
                legend { "May" }
                @for scope in OFFERED {
                    label.check {
                        input type="checkbox" name="scopes" value=(scope.as_str()) checked[ticked.contains(&scope.as_str())];
                        span { code { (scope.as_str()) } " " (words(*scope)) }
                    }
                }
            }
            button type="submit" { "Create token" }
            " " a.button.plain href=(PATH) { "Cancel" }
        }
    };
    page(status, browser, Section::Tokens, "New token", &body)
}

fn render_created(browser: &Browser, secret: &Secret, credential: &Credential) -> Response {
    let body = html! {
        h1 { "Your new token" }
        div.card {
            p { "Copy the value of " strong { (credential.name) } " now. It is not shown again, and nobody can look it up." }
            code.secret #token { (secret.expose()) }
            a.button href=(PATH) { "Done" }
        }
    };
    page(StatusCode::CREATED, browser, Section::Tokens, "Your new token", &body)
}

async fn revoke(
    SignedIn(browser): SignedIn,
    Path(id): Path<i64>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    credentials::revoke(&browser.ctx, CredentialId(id)).await?;
    let mut response = Redirect::to(PATH).into_response();
    flash::leave(browser.ctx.settings(), response.headers_mut(), "The token was revoked.");
    Ok(response)
}
