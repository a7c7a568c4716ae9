//! A task that an agent asks for, as a person is shown it before granting it.

use forge_service::oauth::AskedTask;
use maud::{Markup, html};

use crate::inert::inert;

/// Shows what is asked for. What the agent wrote is text that does nothing, marked as the agent's.
pub(super) fn described(task: &AskedTask) -> Markup {
    html! {
        dl {
            dt { "Agent" }
            dd { (task.agent.login) }
            dt { "Task, in its words" }
            dd { (inert(&task.task)) }
            @if let Some(delegator) = &task.delegator {
                dt { "On behalf of" }
                dd { (inert(delegator)) }
            }
            dt { "On" }
            dd { ul { @for resource in &task.resources { li { code { (inert(resource)) } } } } }
            dt { "May" }
            dd { ul { @for action in &task.actions { li { code { (action) } } } } }
            dt { "Within" }
            dd { ul { @for bound in &task.bounds { li { (inert(bound)) } } } }
        }
        p { "Whatever it does under this uses your rights at that time, and nothing beyond what is listed." }
    }
}
