//! What all pages look like.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use forge_types::Timestamp;
use maud::{DOCTYPE, Markup, html};

use crate::browser::Browser;
use crate::error::Problem;
use crate::style;

/// Renders a page with who is signed in at its top and what the page before left.
pub fn page(browser: &Browser, title: &str, body: &Markup) -> Html<String> {
    document(
        title,
        &html! {
            (switch_banner(browser))
            header.top {
                a.brand href="/" { "forge" }
                @if let Some(account) = &browser.own().caller().account {
                    nav aria-label="Account" {
                        img src={ "/avatars/" (account.id) "?s=48" } alt="" width="24" height="24";
                        span { "Signed in as " strong { (account.login) } }
                        a href="/approvals" { "Approvals" }
                        a href="/settings/agents" { "Agents" }
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

/// Says, on every page, that the person acts as an agent, with the ways to go on and to end that.
fn switch_banner(browser: &Browser) -> Markup {
    let (Some(_), caller) = (&browser.person, browser.ctx.caller()) else { return html! {} };
    let login = caller.account.as_ref().map_or("", |agent| agent.login.as_str());
    let credential = caller.credential.as_ref();
    let ends = credential.and_then(|credential| credential.expires_at);
    let left = ends.map(|ends| ends.since(browser.ctx.now()).as_secs().div_ceil(60));
    let may_renew = ends < credential.and_then(|credential| credential.renewable_until);
    html! {
        div.banner role="region" aria-label="Acting as an agent" {
            p {
                "You are acting as " strong { (login) } ". What you do is recorded as its doing, with your name beside it."
                @if let Some(left) = left { " This ends in " (left) @if left == 1 { " minute." } @else { " minutes." } }
            }
            div.actions {
                form method="post" action="/switch/end" {
                    (browser.form_field())
                    button type="submit" { "Stop acting as " (login) }
                }
                @if may_renew {
                    form method="post" action="/switch/renew" {
                        (browser.form_field())
                        button.plain type="submit" { "Stay for 15 more minutes" }
                    }
                }
            }
        }
    }
}

/// Renders what went wrong, with what every page has.
pub(crate) fn failure(browser: &Browser, title: &str, message: &str) -> Html<String> {
    page(browser, title, &html! { h1 { (title) } p { (message) } p { a href="/" { "Home" } } })
}

/// Renders a page for nobody in particular.
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

/// Returns a time as pages show it.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{} {} UTC", &text[..10], &text[11..16])
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
        self.input(problems, true)
    }

    /// Renders the field, which may be left empty.
    #[must_use]
    pub fn optional(&self, problems: &[Problem]) -> Markup {
        self.input(problems, false)
    }

    fn input(&self, problems: &[Problem], is_required: bool) -> Markup {
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
                input type=(self.kind) id=(self.name) name=(self.name) value=(self.value) required[is_required]
                    autocomplete=(self.autocomplete) autocapitalize="none" spellcheck="false"
                    aria-describedby=[described] aria-invalid=[wrong.map(|_| "true")];
            }
        }
    }
}
