//! With whose rights an agent acts, and what it has at most. Lending one's rights takes a person who signed in lately.

use axum::extract::Path;
use axum::response::Response;
use forge_service::agents::{self, AgentChanges};
use forge_types::agent::{Agent, AgentMode};
use forge_types::ceiling::Ceiling;
use forge_types::{Error, Permission};
use maud::{Markup, html};

use super::{go, path_of};
use crate::browser::{Browser, Present};
use crate::error::WebError;
use crate::form::{Form, one};

type Pairs = Vec<(String, String)>;

/// Shows whose rights the agent uses, with the form that changes it.
pub(super) fn section(browser: &Browser, agent: &Agent) -> Markup {
    let most = agent.ceiling.as_ref().map(|ceiling| ceiling.permission);
    html! {
        h2 { "Whose rights it uses" }
        form.card method="post" action={ (path_of(&agent.account.login)) "/rights" } {
            (browser.form_field())
            div.field {
                label for="mode" { "Its own credentials act with" }
                p.hint #mode-hint { "Lent rights are whatever you may do at that moment. Every entry of the audit log names you both." }
                select id="mode" name="mode" aria-describedby="mode-hint" {
                    @for (mode, label) in [
                        (AgentMode::Autonomous, "its own rights"),
                        (AgentMode::Delegated, "my rights, until I take them back"),
                    ] {
                        option value=(mode.as_str()) selected[mode == agent.mode()] { (label) }
                    }
                }
            }
            div.field {
                label for="ceiling" { "On a repository at most" }
                select id="ceiling" name="ceiling" {
                    option value="" selected[most.is_none()] { "whatever it is given" }
                    @for permission in Permission::ALL {
                        option value=(permission.role_name()) selected[most == Some(permission)] { (permission.role_name()) }
                    }
                }
            }
            @if let Some(actions) = agent.ceiling.as_ref().and_then(|ceiling| ceiling.actions.as_ref()) {
                p.hint {
                    "Of changes to code only: "
                    @for action in actions { code { (action.as_str()) } " " }
                }
            }
            button type="submit" { "Save whose rights" }
        }
    }
}

pub(super) async fn save(
    Present(browser): Present,
    Path(login): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result<Response, WebError> {
    let unreadable = || Error::malformed("the form could not be read");
    let mode = AgentMode::parse(one(&pairs, "mode")).ok_or_else(unreadable)?;
    let agent = agents::find(&browser.ctx, &login).await?;
    let actions = agent.ceiling.as_ref().and_then(|ceiling| ceiling.actions.clone());
    let ceiling = match (one(&pairs, "ceiling"), &actions) {
        ("", None) => None,
        ("", Some(_)) => Some(Ceiling { permission: Permission::Admin, actions }),
        (name, _) => Some(Ceiling { permission: Permission::parse(name).ok_or_else(unreadable)?, actions }),
    };
    let changes = AgentChanges {
        mode: (mode != agent.mode()).then_some(mode),
        ceiling: (ceiling != agent.ceiling).then_some(ceiling),
        ..AgentChanges::default()
    };
    agents::update(&browser.ctx, &login, changes).await?;
    Ok(go(&browser, &path_of(&login), "Saved."))
}
