//! What waits, and what did.

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use forge_service::approvals::{self, ApprovalFilter};
use forge_types::approval::{Approval, ApprovalState, Asked};
use forge_types::page::PageRequest;
use maud::{Markup, html};
use serde::Deserialize;

use super::PATH;
use crate::browser::{Browser, SignedIn};
use crate::error::WebError;
use crate::inert::inert;
use crate::layout;
use crate::layout::moment;

#[derive(Deserialize)]
pub(super) struct Which {
    page: Option<u32>,
    all: Option<bool>,
}

pub(super) async fn show(
    SignedIn(browser): SignedIn,
    Query(which): Query<Which>,
) -> Result<Response, WebError> {
    let is_all = which.all.unwrap_or_default();
    let request = PageRequest::new(which.page.unwrap_or(1), 50);
    let filter =
        ApprovalFilter { state: (!is_all).then_some(ApprovalState::Pending), ..ApprovalFilter::default() };
    let found = approvals::list(&browser.ctx, filter, request).await?;
    let rows: Vec<&Approval> = found.items.iter().map(|one| &one.approval).collect();
    let path = |number: u32| format!("{PATH}?all={is_all}&page={number}");
    let body = html! {
        h1 { "Approvals" }
        p { "What agents may do only when a person agrees, each time. Nothing happens until you decide." }
        p {
            @if is_all { a href=(PATH) { "Only what waits" } } @else { a href={ (PATH) "?all=true" } { "Also what was decided" } }
        }
        (table(&browser, &rows))
        p {
            @if request.number() > 1 { a href=(path(request.number() - 1)) { "Back" } " " }
            @if found.has_next { a href=(path(request.number() + 1)) { "More" } }
        }
    };
    Ok(layout::page(&browser, "Approvals", &body).into_response())
}

fn table(browser: &Browser, rows: &[&Approval]) -> Markup {
    html! {
        @if rows.is_empty() { p.muted { "Nothing waits." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Who asks" } th scope="col" { "For what" } th scope="col" { "State" } th scope="col" { "Asked" } } }
                    tbody { @for one in rows { (row(browser, one)) } }
                }
            }
        }
    }
}

fn row(browser: &Browser, one: &Approval) -> Markup {
    let state = one.state(browser.ctx.now());
    html! {
        tr {
            td { strong { (one.requester.login) } }
            td {
                a href={ (PATH) "/" (one.id) } { code { (one.id) } }
                @for held in one.asked.refs().iter().take(3) { br; code { (inert(held.name.as_str())) } }
                @if let Asked::Request { action, .. } = &one.asked { br; code { (action.as_str()) } }
                @if one.asked.refs().len() > 3 { br; "and " (one.asked.refs().len() - 3) " more" }
            }
            td { (state.as_str()) }
            td { (moment(one.created_at)) }
        }
    }
}
