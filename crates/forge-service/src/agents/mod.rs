//! Agents: principals of their own, which register, consent to a human, are recovered and acted for.
//!
//! `register` and `create` bring them into being, `invites`, `grants` and `confirm` bind them to a human, `undo` takes that
//! back, `bindings` and `switch` are what the human may do meanwhile, `delegation` says with whose rights an agent acts,
//! `keys` holds what they prove themselves with, `workloads` what they run in, `state`
//! changes and suspends them, `expiry` removes those that nobody bound.
//! INVARIANT: a binding comes into being only in a transaction that holds the agent's own credential and an open
//! invitation, and in which the inviter still has every right that the invitation gives away.

mod bindings;
mod confirm;
mod create;
mod delegation;
mod expiry;
mod grants;
mod invites;
mod keys;
mod register;
mod state;
mod switch;
mod target;
mod undo;
mod workloads;

pub use bindings::{Recovered, last_recovery, recover, rename, unbind};
pub use confirm::{ConfirmedBinding, confirm};
pub use create::{AgentLogin, CreatedAgent, NewAgent, create};
pub use expiry::expire_unbound;
pub use grants::{RepositoryGrantRequest, TeamGrantRequest};
pub(crate) use invites::PURPOSE as INVITE_PURPOSE;
pub use invites::{InviteRequest, find_invite, invite, list_invites, withdraw_invite};
pub use keys::{NewKey, add_key, list_keys, withdraw_key};
pub use register::{Registration, register};
pub use state::{AgentChanges, restore, suspend, update};
pub use switch::{end_switch, list_switches, open_switch, renew_switch};
pub use target::{AgentTarget, OwnAgent};
pub use undo::{UndoneBinding, list_fresh, undo_binding};
pub use workloads::{NewBinding, bind_workload, list_workloads, unbind_workload};

use forge_types::agent::{Agent, AgentOverview};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Result};

use crate::context::RequestContext;
use crate::target::OwnAccount;

/// Returns an agent: its state, its human, when it was last used.
///
/// # Errors
/// `NotFound` unless the caller is the agent, its human, or administers the forge.
pub async fn find(ctx: &RequestContext, login: &str) -> Result<Agent> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, AgentTarget(login), Action::AgentRead).await
}

/// Returns a page of the caller's agents with what each may reach.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list_own(ctx: &RequestContext, page: PageRequest) -> Result<Page<AgentOverview>> {
    let mut conn = ctx.read().await?;
    let account = ctx.authorize(&mut conn, OwnAccount, Action::AgentList).await?;
    Ok(forge_store::agents::overview::list_by_human(&mut conn, account.id, ctx.now(), page).await?)
}
