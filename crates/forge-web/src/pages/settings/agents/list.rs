//! The agents of the person who is signed in, and what was offered to others.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use forge_service::agents;
use forge_types::account::AccountStatus;
use forge_types::agent::{AgentInvite, AgentOverview, InviteState};
use forge_types::page::{Page, PageRequest};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Section, page};
use super::{PATH, path_of, undo};
use crate::browser::{Browser, SignedIn};
use crate::error::WebError;
use crate::layout::moment;

#[derive(Deserialize)]
pub(super) struct Number {
    page: Option<u32>,
}

pub(super) async fn show(
    SignedIn(browser): SignedIn,
    Query(number): Query<Number>,
) -> Result<Response, WebError> {
    if browser.person.is_some() {
        let body = html! {
            h1 { "Agents" }
            p { "While you act as an agent you have none. Stop acting as one to see yours." }
        };
        return Ok(page(StatusCode::OK, &browser, Section::Agents, "Agents", &body));
    }
    let request = PageRequest::new(number.page.unwrap_or(1), 50);
    let found = agents::list_own(&browser.ctx, request).await?;
    let invites = agents::list_invites(&browser.ctx, PageRequest::new(1, 20)).await?;
    let body = html! {
        div.row { h1 { "Agents" } a.button href="/settings/agents/invite" { "Invite an agent" } }
        p { "An agent has an account, a token and repositories of its own. One that accepted your invite is yours to recover, suspend and act as." }
        (undo::notices(&browser).await?)
        (agents_table(&found))
        p {
            @if request.number() > 1 { a href={ (PATH) "?page=" (request.number() - 1) } { "Back" } " " }
            @if found.has_next { a href={ (PATH) "?page=" (request.number() + 1) } { "More" } }
        }
        h2 { "Invites" }
        (invites_table(&browser, &invites.items))
    };
    Ok(page(StatusCode::OK, &browser, Section::Agents, "Agents", &body))
}

fn agents_table(found: &Page<AgentOverview>) -> Markup {
    html! {
        @if found.items.is_empty() { p.muted { "None is yours yet." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Agent" } th scope="col" { "State" } th scope="col" { "Reaches" } th scope="col" { "Used" } } }
                    tbody { @for one in &found.items { (row(one)) } }
                }
            }
        }
    }
}

fn row(one: &AgentOverview) -> Markup {
    let (agent, account) = (&one.agent, &one.agent.account);
    html! {
        tr {
            td {
                a href=(path_of(&account.login)) { strong { (account.login) } }
                @if let Some(name) = &account.name { br; (name) }
                @if let Some(description) = &account.description { br; span.muted { (description) } }
            }
            td {
                @match (account.status, one.credential_created_at) {
                    (AccountStatus::Active, Some(_)) => "active",
                    (AccountStatus::Active, None) => "has no credential",
                    (AccountStatus::Suspended | AccountStatus::Deleted, _) => strong { "suspended" },
                }
            }
            td {
                @for (name, permission) in &one.repositories { code { (name) } " " span.muted { (permission.role_name()) } br; }
                @for place in &one.teams { "team " code { (place.organization_login) "/" (place.slug) } br; }
            }
            td { (agent.last_used_at.map_or_else(|| "never".to_owned(), moment)) }
        }
    }
}

fn invites_table(browser: &Browser, invites: &[AgentInvite]) -> Markup {
    html! {
        @if invites.is_empty() { p.muted { "There are none." } } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "Gives" } th scope="col" { "For" } th scope="col" { "State" } th scope="col" { span.unseen { "Action" } } } }
                    tbody { @for invite in invites { (invite_row(browser, invite)) } }
                }
            }
        }
    }
}

fn invite_row(browser: &Browser, invite: &AgentInvite) -> Markup {
    let state = invite.state(browser.ctx.now());
    html! {
        tr {
            td {
                @for grant in &invite.repository_grants { code { (grant.repo_full_name) } " " span.muted { (grant.permission.role_name()) } br; }
                @for grant in &invite.team_grants { "team " code { (grant.org) "/" (grant.team_slug) } " " span.muted { (grant.role.as_str()) } br; }
                @if invite.repository_grants.is_empty() && invite.team_grants.is_empty() { span.muted { "nothing" } }
            }
            td { (invite.agent_login.as_deref().unwrap_or("any agent")) }
            td { (state.as_str()) @if state == InviteState::Pending { ", until " (moment(invite.expires_at)) } }
            td {
                @if state == InviteState::Pending {
                    form method="post" action={ "/settings/agents/invites/" (invite.id) "/withdraw" } {
                        (browser.form_field())
                        button.danger type="submit" { "Withdraw" }
                    }
                }
            }
        }
    }
}
