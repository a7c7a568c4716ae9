//! What all pages look like.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::browser::Browser;
use crate::error::Problem;
use crate::style;

/// Renders a page with who is signed in at its top and what the page before left.
#[must_use]
pub fn page(browser: &Browser, title: &str, body: &Markup) -> Html<String> {
    document(
        title,
        &html! {
            header.top {
                a.brand href="/" { "forge" }
                @if let Some(account) = browser.account() {
                    nav aria-label="Account" {
                        span { "Signed in as " strong { (account.login) } }
                        a href="/settings/tokens" { "Settings" }
                        form method="post" action="/logout" {
                            (browser.form_field())
                            button.link type="submit" { "Sign out" }
                        }
                    }
                }
            }
            main #main {
                @if let Some(message) = &browser.flash {
                    p.notice role="status" { (message) }
                }
                (body)
            }
        },
    )
}

/// Renders a page for nobody in particular.
#[must_use]
pub fn bare(title: &str, body: &Markup) -> Html<String> {
    document(
        title,
        &html! {
            header.top { a.brand href="/" { "forge" } }
            main #main { h1 { (title) } (body) }
        },
    )
}

/// Renders a page with another status than 200.
#[must_use]
pub fn page_with_status(status: StatusCode, browser: &Browser, title: &str, body: &Markup) -> Response {
    (status, page(browser, title, body)).into_response()
}

fn document(title: &str, body: &Markup) -> Html<String> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · forge" }
                link rel="stylesheet" href=(style::PATH);
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (body)
            }
        }
    };
    Html(markup.into_string())
}

/// Says at the top of a form what is wrong with it, with links to the fields.
#[must_use]
pub fn summary(problems: &[Problem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div.errors role="alert" aria-labelledby="errors-title" tabindex="-1" {
                h2 #errors-title { "There is a problem" }
                ul {
                    @for problem in problems {
                        li {
                            @match &problem.field {
                                Some(field) => a href={ "#" (field) } { (problem.message) },
                                None => (problem.message),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A field of a form.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its id and name.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What kind of input it is.
    pub kind: &'a str,
    /// What it holds already.
    pub value: &'a str,
    /// A sentence that helps to fill it.
    pub hint: Option<&'a str>,
    /// What browsers may fill it with.
    pub autocomplete: &'a str,
}

impl Field<'_> {
    /// Renders the field with its label, its hint and what is wrong with it.
    #[must_use]
    pub fn render(&self, problems: &[Problem]) -> Markup {
        let wrong = problems.iter().find(|problem| problem.field.as_deref() == Some(self.name));
        let (hint_id, error_id) = (format!("{}-hint", self.name), format!("{}-error", self.name));
        let mut described: Vec<&str> = Vec::new();
        described.extend(self.hint.map(|_| hint_id.as_str()));
        described.extend(wrong.map(|_| error_id.as_str()));
        let described = (!described.is_empty()).then(|| described.join(" "));
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                @if let Some(hint) = self.hint { p.hint id=(hint_id) { (hint) } }
                @if let Some(problem) = wrong { p.error id=(error_id) { (problem.message) } }
                input type=(self.kind) id=(self.name) name=(self.name) value=(self.value) required
                    autocomplete=(self.autocomplete) autocapitalize="none" spellcheck="false"
                    aria-describedby=[described] aria-invalid=[wrong.map(|_| "true")];
            }
        }
    }
}
