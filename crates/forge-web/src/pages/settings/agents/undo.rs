//! What tells a person that an agent was bound to them, and lets them undo it while that can be done.

use axum::extract::Path;
use axum::response::Response;
use forge_service::agents;
use forge_types::Result;
use forge_types::agent::Agent;
use maud::{Markup, html};

use super::{PATH, go, path_of};
use crate::browser::{Browser, SignedIn};
use crate::error::WebError;
use crate::form::{Form, Nothing};
use crate::layout::moment;

/// Returns a notice for each agent that was bound to the person within a day; nothing while they act as one.
pub(crate) async fn notices(browser: &Browser) -> Result<Markup> {
    if browser.person.is_some() {
        return Ok(html! {});
    }
    let fresh = agents::list_fresh(&browser.ctx).await?;
    Ok(html! { @for agent in &fresh { (notice(browser, agent)) } })
}

/// Returns the notice about one agent, if its binding can be undone.
pub(super) fn notice(browser: &Browser, agent: &Agent) -> Markup {
    let login = agent.account.login.as_str();
    html! {
        @if let (Some(bound_at), Some(until)) = (agent.bound_at, agent.undo_until(browser.ctx.now())) {
            div.notice {
                p {
                    a href=(path_of(login)) { strong { (login) } } " was bound to you at " (moment(bound_at))
                    ". If you did not expect that, undo it until " (moment(until))
                    ": it is no longer yours, and what your invite gave it is taken back."
                }
                form method="post" action={ (path_of(login)) "/undo" } {
                    (browser.form_field())
                    button.danger type="submit" { "Undo binding of " (login) }
                }
            }
        }
    }
}

pub(super) async fn create(
    SignedIn(browser): SignedIn,
    Path(login): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, WebError> {
    let undone = agents::undo_binding(&browser.ctx, &login).await?;
    let message = format!(
        "{} is no longer yours, and what your invite gave it is taken back.",
        undone.agent.account.login
    );
    Ok(go(&browser, PATH, &message))
}
