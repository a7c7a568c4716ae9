//! One approval: who asks for what, under which task, and the two answers.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use forge_service::approvals::{self, Answer, Look};
use forge_types::approval::{Approval, ApprovalState, MAX_COMMENT};
use forge_types::id::ApprovalId;
use forge_types::{Error, ErrorKind};
use maud::{Markup, html};
use serde::Deserialize;

use super::{PATH, changes, state_words, title};
use crate::browser::{Browser, Confirmed, SignedIn, confirming};
use crate::error::{Problem, WebError, problems, sentence};
use crate::flash;
use crate::form::Form;
use crate::inert::inert;
use crate::layout::moment;
use crate::layout::{page_with_status, summary};

#[derive(Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    comment: String,
    /// Ticked by whoever has looked elsewhere at what this page does not show.
    looked_elsewhere: Option<String>,
}

pub(super) async fn show(SignedIn(browser): SignedIn, Path(id): Path<String>) -> Result<Response, WebError> {
    let look = approvals::look(&browser.ctx, &ApprovalId(id)).await?;
    Ok(render(&browser, StatusCode::OK, &look, &[]))
}

/// Whoever had to enter the password on the way to an answer looks again before giving it.
pub(super) async fn back(SignedIn(_): SignedIn, Path(id): Path<String>) -> Redirect {
    Redirect::to(&format!("{PATH}/{}", path_segment(&id)))
}

pub(super) async fn approve(
    Confirmed(browser): Confirmed,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let id = ApprovalId(id);
    let has_looked_elsewhere = fields.looked_elsewhere.as_deref() == Some("yes");
    let answer = Answer { comment: &fields.comment, has_looked_elsewhere };
    let outcome = approvals::approve(&browser.ctx, &id, &answer).await;
    answered(&browser, &id, outcome).await
}

pub(super) async fn deny(
    Confirmed(browser): Confirmed,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let id = ApprovalId(id);
    let outcome = approvals::deny(&browser.ctx, &id, &fields.comment).await;
    answered(&browser, &id, outcome).await
}

async fn answered(
    browser: &Browser,
    id: &ApprovalId,
    outcome: Result<Approval, Error>,
) -> Result<Response, WebError> {
    let error = match outcome {
        Ok(approval) => {
            let mut response = Redirect::to(&format!("{PATH}/{id}")).into_response();
            flash::leave(browser.ctx.settings(), response.headers_mut(), told(&approval));
            return Ok(response);
        }
        Err(error) => error,
    };
    let (status, problems) = match error.kind() {
        ErrorKind::Forbidden => {
            let message = sentence(error.message());
            (StatusCode::FORBIDDEN, vec![Problem { field: None, message }])
        }
        _ => problems(error)?,
    };
    let look = approvals::look(&browser.ctx, id).await?;
    Ok(render(browser, status, &look, &problems))
}

const fn told(approval: &Approval) -> &'static str {
    match approval.stored_state {
        ApprovalState::Consumed => "You approved, and it is done.",
        ApprovalState::Failed => "You approved, but it could not be done any more.",
        ApprovalState::Denied => "You denied it.",
        ApprovalState::Approved => "You approved: it is done when the request is made again.",
        ApprovalState::Pending | ApprovalState::Expired | ApprovalState::Cancelled => "It was decided.",
    }
}

fn path_segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn render(browser: &Browser, status: StatusCode, look: &Look, problems: &[Problem]) -> Response {
    let approval = &look.found.approval;
    let state = approval.state(browser.ctx.now());
    let body = html! {
        h1 {
            (approval.requester.login) @if state == ApprovalState::Pending { " wants to " } @else { " wanted to " }
            (title::wish(&approval.asked, look.repository.as_ref(), title::commits(look)))
        }
        (title::marks(look))
        (summary(problems))
        (facts(look, state))
        h2 { "What would change" }
        (changes::render(look, state))
        @if state == ApprovalState::Pending { (answers(browser, look)) }
        p { a href=(PATH) { "All approvals" } }
    };
    page_with_status(status, browser, "Approval", &body)
}

fn facts(look: &Look, state: ApprovalState) -> Markup {
    let approval = &look.found.approval;
    html! {
        dl.card {
            dt { "State" }
            dd {
                strong { (state_words(state)) }
                @if let Some(outcome) = &approval.outcome { ": " (inert(outcome)) }
            }
            @if let (Some(human), Some(at)) = (&approval.decided_by, approval.decided_at) {
                dt { "Decided" } dd { "by " strong { (human.login) } ", " (moment(at)) }
            }
            @if let Some(comment) = &approval.comment { dt { "Comment" } dd { (inert(comment)) } }
            dt { "Agent" } dd { (approval.requester.login) }
            @if let Some(grant) = &look.grant {
                dt { "On behalf of" } dd { (grant.delegator.login) }
                dt { "Task, in its words" } dd { blockquote { (inert(&grant.task)) } }
                dt { "Grant" } dd { code { (grant.id) } }
            }
            @if approval.repository_id.is_some() {
                dt { "Repository" }
                dd {
                    @match &look.repository {
                        Some(access) => code { (access.repository.owner.login) "/" (access.repository.name) },
                        None => "one that you cannot read",
                    }
                }
            }
            dt { "Why it waits" } dd { (why(approval)) }
            dt { "Asked" } dd { (moment(approval.created_at)) ", good until " (moment(approval.expires_at)) }
        }
    }
}

/// Says why a human is asked, and which rule says so. What a policy gives as its reason are the words of whoever wrote it.
fn why(approval: &Approval) -> Markup {
    let is_grant = approval.rule == "approval.grant";
    html! {
        @if is_grant { "The grant lets this be done only when a person agrees, each time." }
        @else { "A policy lets this be done only when a person agrees, and gives as its reason: " blockquote { (inert(&sentence(&approval.reason))) } }
        " " small.muted { @if is_grant { (inert(&approval.reason)) " " } "(" code { (inert(&approval.rule)) } ")" }
    }
}

/// Both answers are equally near, and who cannot give them is told why.
fn answers(browser: &Browser, look: &Look) -> Markup {
    let (approval, why_not) = (&look.found.approval, approvals::why_not(&browser.ctx, &look.found));
    let path = format!("{PATH}/{}", approval.id);
    let is_whole = look.unshown().is_empty();
    html! {
        h2 { "Your answer" }
        @if let Some(obstacle) = &look.obstacle {
            p.warning { strong { "This can no longer be done" } ": " (inert(obstacle)) ". Approving it would fail and change nothing." }
        }
        @match why_not {
            Some(_) if !browser.is_confirmed() && browser.person.is_none() => {
                p { "Deciding takes your password, entered within five minutes." }
                a.button href=(confirming(&path)) { "Enter it and decide" }
            }
            Some(reason) => p.warning { "You cannot decide about this: " (reason) "." },
            None => form.card method="post" action={ (path) "/deny" } {
                (browser.form_field())
                @if look.obstacle.is_none() {
                    p { "Exactly what is shown above" @if !is_whole { ", and named there as not shown," } " happens, once, or nothing if what it is about has changed meanwhile. " (approval.requester.login) " is told what you decide and what you write." }
                }
                div.field {
                    label for="comment" { "Comment" }
                    p.hint id="comment-hint" { "Optional." }
                    textarea id="comment" name="comment" rows="3" maxlength=(MAX_COMMENT) aria-describedby="comment-hint" {}
                }
                @if !is_whole {
                    label.check for="looked_elsewhere" {
                        input type="checkbox" id="looked_elsewhere" name="looked_elsewhere" value="yes" required;
                        span { "I have looked at what is not shown here by other means. " span.hint { "Approving takes this; denying does not." } }
                    }
                }
                // The first button is what the Enter key stands for.
                div.answers {
                    button type="submit" formnovalidate { "Deny" }
                    button type="submit" formaction={ (path) "/approve" } { "Approve" }
                }
            },
        }
    }
}
