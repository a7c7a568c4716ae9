//! What waits, and what did.

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use forge_service::approvals::{self, ApprovalFilter};
use forge_types::approval::{Approval, ApprovalState};
use forge_types::page::PageRequest;
use forge_types::repository::RepositoryAccess;
use maud::{Markup, html};
use serde::Deserialize;

use super::{PATH, state_words, title};
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
    let repositories = approvals::repositories(&browser.ctx, &found.items).await?;
    let place = |one: &Approval| one.repository_id.and_then(|id| repositories.get(&id));
    let rows: Vec<Row<'_>> = found.items.iter().map(|one| (&one.approval, place(&one.approval))).collect();
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

/// An approval, and the repository it is about if the person may read that.
type Row<'a> = (&'a Approval, Option<&'a RepositoryAccess>);

fn table(browser: &Browser, rows: &[Row<'_>]) -> Markup {
    html! {
        @if rows.is_empty() { p.muted { "Nothing waits." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Who asks" } th scope="col" { "Wants to" } th scope="col" { "State" } th scope="col" { "Asked" } } }
                    tbody { @for one in rows { (row(browser, one)) } }
                }
            }
        }
    }
}

fn row(browser: &Browser, (one, repository): &Row<'_>) -> Markup {
    let state = one.state(browser.ctx.now());
    html! {
        tr {
            td { strong { (one.requester.login) } }
            td {
                a href={ (PATH) "/" (one.id) } { (title::wish(&one.asked, *repository, None)) }
                @if one.asked.refs().iter().any(|held| held.forced) { " " span.mark { "forced" } }
                @if one.asked.refs().iter().any(|held| held.new.is_none()) { " " span.mark { "deletion" } }
                @for held in one.asked.refs().iter().take(3) { br; code { (inert(held.name.as_str())) } }
                @if one.asked.refs().len() > 3 { br; "and " (one.asked.refs().len() - 3) " more" }
            }
            td { (state_words(state)) }
            td { (moment(one.created_at)) }
        }
    }
}
