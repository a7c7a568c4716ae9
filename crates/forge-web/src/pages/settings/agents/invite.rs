//! Inviting an agent: what it is offered, and, once, the secret with which it accepts.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::Secret;
use forge_service::agents::{self, InviteRequest, RepositoryGrantRequest, TeamGrantRequest};
use forge_types::agent::AgentInvite;
use forge_types::id::InviteId;
use forge_types::organization::TeamRole;
use forge_types::{Error, ErrorKind, Permission, Result};
use maud::{Markup, html};

use super::super::{Section, page};
use super::{PATH, go};
use crate::browser::{Browser, SignedIn};
use crate::error::{Problem, WebError, problems};
use crate::form::{Form, Nothing, all, one};
use crate::layout::moment;
use crate::layout::summary;

const HOUR: u64 = 3600;
/// More can be offered over the API.
const REPOSITORIES: usize = 4;
const TEAMS: usize = 2;

type Pairs = Vec<(String, String)>;

pub(super) async fn ask(SignedIn(browser): SignedIn) -> Response {
    render_form(&browser, StatusCode::OK, &[], &[])
}

pub(super) async fn create(
    SignedIn(browser): SignedIn,
    Form(pairs): Form<Pairs>,
) -> Result<Response, WebError> {
    let outcome = match read(&browser, &pairs) {
        Ok(request) => agents::invite(&browser.ctx, &request).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((secret, invite)) => Ok(render_created(&browser, &secret, &invite)),
        Err(error) => {
            let (status, problems) = explain(error)?;
            Ok(render_form(&browser, status, &pairs, &problems))
        }
    }
}

/// What is offered and cannot be is for the person to put right, so it is said in the form.
fn explain(error: Error) -> Result<(StatusCode, Vec<Problem>), WebError> {
    let said =
        |status, message: &str| Ok((status, vec![Problem { field: None, message: message.to_owned() }]));
    match error.kind() {
        ErrorKind::NotFound => said(
            StatusCode::UNPROCESSABLE_ENTITY,
            "A repository or team named here does not exist, or you cannot see it.",
        ),
        ErrorKind::Forbidden => {
            let message = format!("You may not offer this: {}.", error.message().trim_end_matches('.'));
            said(StatusCode::FORBIDDEN, &message)
        }
        _ => problems(error),
    }
}

fn read(browser: &Browser, pairs: &[(String, String)]) -> Result<InviteRequest> {
    let unreadable = || Error::malformed("the form could not be read");
    let hours: u64 = one(pairs, "lifetime").parse().map_err(|_| unreadable())?;
    let mut request = InviteRequest {
        expires_at: Some(browser.ctx.now().plus(Duration::from_secs(hours.min(72) * HOUR))),
        ..InviteRequest::default()
    };
    for (name, permission) in rows(pairs, "repository", "permission") {
        let permission = Permission::parse(permission).ok_or_else(unreadable)?;
        request.repositories.push(RepositoryGrantRequest { repo_full_name: name.to_owned(), permission });
    }
    for (name, role) in rows(pairs, "team", "role") {
        let role = TeamRole::parse(role).ok_or_else(unreadable)?;
        let (org, slug) = name.split_once('/').unwrap_or((name, ""));
        request.teams.push(TeamGrantRequest { org: org.to_owned(), team_slug: slug.to_owned(), role });
    }
    let login = one(pairs, "agent_login").trim();
    request.agent_login = (!login.is_empty()).then(|| login.to_owned());
    Ok(request)
}

/// Returns the rows of two fields beside each other whose first is filled in.
fn rows<'a>(pairs: &'a [(String, String)], first: &str, second: &str) -> Vec<(&'a str, &'a str)> {
    let rows = all(pairs, first).into_iter().zip(all(pairs, second));
    rows.map(|(left, right)| (left.trim(), right)).filter(|(left, _)| !left.is_empty()).collect()
}

fn render_form(
    browser: &Browser,
    status: StatusCode,
    pairs: &[(String, String)],
    problems: &[Problem],
) -> Response {
    let (login, lifetime) = (one(pairs, "agent_login"), one(pairs, "lifetime"));
    let permissions: Vec<&str> = Permission::ALL.iter().map(|permission| permission.role_name()).collect();
    let body = html! {
        h1 { "Invite an agent" }
        p { "The agent accepts with its own credential. Only then is it yours, and only then does it get what you offer here." }
        (summary(problems))
        form.card method="post" action="/settings/agents/invite" {
            (browser.form_field())
            (grants(pairs, "Repositories", ["repository", "permission"], "OWNER/NAME", &permissions, "write", REPOSITORIES))
            (grants(pairs, "Teams", ["team", "role"], "ORGANIZATION/TEAM", &["member", "maintainer"], "member", TEAMS))
            div.field {
                label for="agent_login" { "Only for the agent" }
                p.hint id="agent_login-hint" { "Its login, if it has one already: then nobody else can use the invite." }
                input type="text" id="agent_login" name="agent_login" value=(login) autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="agent_login-hint";
            }
            div.field {
                label for="lifetime" { "Good for" }
                select id="lifetime" name="lifetime" {
                    @for (value, label) in [("1", "an hour"), ("24", "a day"), ("72", "three days")] {
                        option value=(value) selected[value == lifetime || (lifetime.is_empty() && value == "24")] { (label) }
                    }
                }
            }
            button type="submit" { "Create invite" }
            " " a.button.plain href=(PATH) { "Cancel" }
        }
    };
    page(status, browser, Section::Agents, "Invite an agent", &body)
}

/// Renders rows of a name and a choice, with what was entered in them.
fn grants(
    pairs: &[(String, String)],
    legend: &str,
    [name, choice]: [&str; 2],
    form: &str,
    choices: &[&str],
    default: &str,
    count: usize,
) -> Markup {
    let (names, chosen) = (all(pairs, name), all(pairs, choice));
    html! {
        fieldset {
            legend { (legend) }
            @for index in 0..count {
                @let selected = chosen.get(index).copied().unwrap_or(default);
                div.pair {
                    input type="text" name=(name) value=(names.get(index).copied().unwrap_or("")) placeholder=(form)
                        aria-label={ (legend) " " (index + 1) ", " (form) } autocomplete="off" autocapitalize="none" spellcheck="false";
                    select name=(choice) aria-label={ (legend) " " (index + 1) ", " (choice) } {
                        @for choice in choices { option value=(choice) selected[*choice == selected] { (choice) } }
                    }
                }
            }
        }
    }
}

fn render_created(browser: &Browser, secret: &Secret, invite: &AgentInvite) -> Response {
    let origin = browser.ctx.settings().origin.as_str().trim_end_matches('/').to_owned();
    let body = html! {
        h1 { "Your invite" }
        div.card {
            p { "Give this to the agent now. It is not shown again, and is good once, until " (moment(invite.expires_at)) "." }
            code.secret #invite { (secret.expose()) }
            p { "The agent accepts with its own token:" }
            pre.secret {
                "curl " (origin) "/api/ext/v1/agent-bindings/confirm \\\n  -H \"Authorization: Bearer $AGENT_TOKEN\" \\\n  -d '{\"invite_token\": \"" (secret.expose()) "\"}'"
            }
            p.muted { "Whoever has the invite and an agent can accept it. If it went astray, withdraw it, or unbind the agent that took it." }
            a.button href=(PATH) { "Done" }
        }
    };
    page(StatusCode::CREATED, browser, Section::Agents, "Your invite", &body)
}

pub(super) async fn withdraw(
    SignedIn(browser): SignedIn,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    agents::withdraw_invite(&browser.ctx, &InviteId(id)).await?;
    Ok(go(&browser, PATH, "The invite was withdrawn."))
}
