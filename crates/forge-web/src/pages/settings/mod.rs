//! Settings of the person who is signed in: a page per section, with the sections at the top.

mod agents;
mod security;
mod tokens;

pub(crate) use agents::notices;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::WebState;
use crate::browser::Browser;
use crate::layout::page_with_status;

/// A section of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// One's agents.
    Agents,
    /// One's own tokens.
    Tokens,
    /// What signing in takes.
    Security,
}

impl Section {
    const ALL: &'static [Self] = &[Self::Agents, Self::Tokens, Self::Security];

    const fn label(self) -> &'static str {
        match self {
            Self::Agents => "Agents",
            Self::Tokens => "Tokens",
            Self::Security => "Security",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Agents => "/settings/agents",
            Self::Tokens => "/settings/tokens",
            Self::Security => "/settings/security",
        }
    }
}

/// Returns the routes of all sections.
pub(crate) fn routes() -> Router<WebState> {
    Router::new().merge(agents::routes()).merge(tokens::routes()).merge(security::routes())
}

/// Renders a page of a section.
#[must_use]
pub fn page(status: StatusCode, browser: &Browser, section: Section, title: &str, body: &Markup) -> Response {
    let body = html! {
        nav aria-label="Settings" {
            ul.settings {
                @for other in Section::ALL {
                    li { a href=(other.path()) aria-current=[(*other == section).then_some("page")] { (other.label()) } }
                }
            }
        }
        (body)
    };
    page_with_status(status, browser, title, &body)
}
