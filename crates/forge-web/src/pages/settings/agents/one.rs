//! One agent: what it is, and what its human does with it.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents::{self, AgentChanges};
use forge_service::audit_log::AuditEvent;
use forge_types::Error;
use forge_types::account::AccountStatus;
use forge_types::agent::{Agent, StandingAccess};
use forge_types::credential::Credential;
use forge_types::id::CredentialId;
use maud::{Markup, html};

use super::super::{Section, page};
use super::{go, path_of, rights, undo};
use crate::browser::{Browser, Present, SignedIn};
use crate::error::{Problem, WebError, problems};
use crate::form::{Form, Nothing, one};
use crate::layout::moment;
use crate::layout::{Field, summary};
use crate::pages::switch;

type Pairs = Vec<(String, String)>;

pub(super) async fn show(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
) -> Result<Response, WebError> {
    let agent = agents::find(&browser.ctx, &login).await?;
    let sessions = agents::list_switches(&browser.ctx, &login).await?;
    let recovery = agents::last_recovery(&browser.ctx, &login).await?;
    let shown = Shown { agent: &agent, sessions: &sessions, recovery: recovery.as_ref() };
    Ok(render(&browser, StatusCode::OK, &shown, &[]))
}

/// What the page shows.
struct Shown<'a> {
    agent: &'a Agent,
    sessions: &'a [Credential],
    recovery: Option<&'a AuditEvent>,
}

fn render(browser: &Browser, status: StatusCode, shown: &Shown<'_>, problems: &[Problem]) -> Response {
    let Shown { agent, sessions, recovery } = shown;
    let login = agent.account.login.as_str();
    let body = html! {
        h1 { (login) }
        (summary(problems))
        (facts(agent))
        @if browser.person.is_none() {
            @if agent.owner.as_ref().map(|owner| owner.id) == browser.account().map(|account| account.id) {
                (undo::notice(browser, agent))
            }
            (acting(browser, agent, sessions))
            h2 { "What it is" }
            (editing(browser, agent, problems))
            @if agent.owner.as_ref().map(|owner| owner.id) == browser.account().map(|account| account.id) {
                (rights::section(browser, agent))
            }
            h2 { "Stopping it" }
            (stopping(browser, agent))
            h2 { "If something went wrong" }
            @if let Some(recovery) = recovery { (recovered(recovery)) }
            p.actions {
                a.button.plain href={ (path_of(login)) "/reset" } { "Replace its credentials" }
                a.button.plain href={ (path_of(login)) "/unbind" } { "Let it go" }
            }
        }
    };
    page(status, browser, Section::Agents, login, &body)
}

/// Says who replaced the agent's credentials last: whoever did not do that knows now that somebody else did.
fn recovered(event: &AuditEvent) -> Markup {
    let with = match event.credential_kind.as_deref() {
        Some("browser") => "in a browser".to_owned(),
        _ => format!("with the token {}", event.token_fingerprint.as_deref().unwrap_or("of the host")),
    };
    html! {
        p.notice {
            "Its credentials were replaced " (moment(event.created_at)) " in your name, " (with) ", from "
            (event.ip.as_deref().unwrap_or("an unknown address")) ". If that was not you, revoke your "
            a href="/settings/tokens" { "tokens" } " and replace them again."
        }
    }
}

fn facts(agent: &Agent) -> Markup {
    let account = &agent.account;
    html! {
        dl.card {
            dt { "State" }
            dd {
                @if account.status == AccountStatus::Active { "active" } @else {
                    strong { "suspended" }
                    @if let Some(reason) = &agent.suspended_reason { ": " (reason) }
                }
            }
            dt { "Name" } dd { (account.name.as_deref().unwrap_or("none")) }
            dt { "About" } dd { (account.description.as_deref().unwrap_or("nothing")) }
            dt { "Human" } dd { (agent.owner.as_ref().map_or("none", |owner| owner.login.as_str())) }
            dt { "Bound" } dd { (agent.bound_at.map_or_else(|| "no".to_owned(), moment)) }
            dt { "Created" }
            dd { (moment(account.created_at)) @if let Some(creator) = &agent.creator { " by " (creator.login) } @else { ", registered itself" } }
            dt { "Last used" } dd { (agent.last_used_at.map_or_else(|| "never".to_owned(), moment)) }
        }
    }
}

fn acting(browser: &Browser, agent: &Agent, sessions: &[Credential]) -> Markup {
    let path = path_of(&agent.account.login);
    html! {
        h2 { "Acting as it" }
        p { "For 15 minutes at a time you use these pages as the agent. Its own token stays as it is." }
        form method="post" action={ (path) "/switch" } {
            (browser.form_field())
            button type="submit" { "Act as " (agent.account.login) }
        }
        @if !sessions.is_empty() {
            ul {
                @for session in sessions {
                    li {
                        "a session opened " (moment(session.created_at)) ", …" code { (session.tail) } " "
                        form method="post" action={ (path) "/switch/" (session.id) "/end" } {
                            (browser.form_field())
                            button.link type="submit" { "End it" }
                        }
                    }
                }
            }
        }
    }
}

fn editing(browser: &Browser, agent: &Agent, problems: &[Problem]) -> Markup {
    let account = &agent.account;
    let text = |name, label, value: Option<&String>| {
        Field {
            name,
            label,
            kind: "text",
            value: value.map_or("", String::as_str),
            hint: None,
            autocomplete: "off",
        }
        .optional(problems)
    };
    html! {
        form.card method="post" action=(path_of(&account.login)) {
            (browser.form_field())
            (text("name", "Name", account.name.as_ref()))
            (text("description", "About", account.description.as_ref()))
            div.field {
                label for="standing_access" { "Its own token may" }
                select id="standing_access" name="standing_access" {
                    @for (access, label) in [
                        (StandingAccess::Full, "do everything the agent may"),
                        (StandingAccess::Read, "only read"),
                        (StandingAccess::ExchangeOnly, "only be exchanged for task tokens"),
                    ] {
                        option value=(access.as_str()) selected[access == agent.standing_access] { (label) }
                    }
                }
            }
            button type="submit" { "Save" }
        }
    }
}

fn stopping(browser: &Browser, agent: &Agent) -> Markup {
    let path = path_of(&agent.account.login);
    html! {
        @if agent.account.status == AccountStatus::Active {
            form.card method="post" action={ (path) "/suspend" } {
                (browser.form_field())
                div.field {
                    label for="reason" { "Reason" }
                    input type="text" id="reason" name="reason" autocomplete="off" maxlength="500";
                }
                button.danger type="submit" { "Suspend" }
                p.hint { "None of its credentials is good until you restore it." }
            }
        } @else {
            form method="post" action={ (path) "/restore" } {
                (browser.form_field())
                button type="submit" { "Restore" }
            }
        }
    }
}

pub(super) async fn edit(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, WebError> {
    let text = |name: &str| Some(one(&pairs, name).trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let access = StandingAccess::parse(one(&pairs, "standing_access"));
    let changes = AgentChanges {
        name: Some(text("name")),
        description: Some(text("description")),
        standing_access: Some(access.ok_or_else(|| Error::malformed("the form could not be read"))?),
        ..AgentChanges::default()
    };
    match agents::update(&browser.ctx, &login, changes).await {
        Ok(_) => Ok(go(&browser, &path_of(&login), "Saved.")),
        Err(error) => {
            let (status, problems) = problems(error)?;
            let agent = agents::find(&browser.ctx, &login).await?;
            let shown = Shown { agent: &agent, sessions: &[], recovery: None };
            Ok(render(&browser, status, &shown, &problems))
        }
    }
}

pub(super) async fn suspend(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, WebError> {
    let reason = Some(one(&pairs, "reason").trim()).filter(|reason| !reason.is_empty());
    agents::suspend(&browser.ctx, &login, reason).await?;
    Ok(go(&browser, &path_of(&login), "The agent is suspended."))
}

pub(super) async fn restore(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    agents::restore(&browser.ctx, &login).await?;
    Ok(go(&browser, &path_of(&login), "The agent is restored."))
}

pub(super) async fn switch(
    Present(browser): Present,
    Path(login): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    let (agent, value, session) = agents::open_switch(&browser.ctx, &login).await?;
    let message = format!("You are acting as {}.", agent.account.login);
    Ok(switch::enter(&browser, &value, &session, &message))
}

pub(super) async fn end_switch(
    SignedIn(browser): SignedIn,
    Path((login, id)): Path<(String, i64)>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    agents::end_switch(&browser.ctx, &login, Some(CredentialId(id))).await?;
    Ok(go(&browser, &path_of(&login), "The session has ended."))
}
