//! With whose rights an agent's own credentials act: its own, or, in delegated mode, those of its human. That is another
//! question than whose agent it is: a binding lets a human recover an agent, and changes no right of either.
//!
//! INVARIANT: only the human gives rights away that are the human's; the agent's consent to be bound is there already.
//! Whoever may change the agent may take them back, by a token of any kind, and the binding's end ends it too.

use forge_store::Tx;
use forge_store::grants::Ended;
use forge_types::agent::{Agent, AgentMode};
use forge_types::ceiling::Ceiling;
use forge_types::{Action, Event, Permission, Result};

use super::target::held;
use crate::context::RequestContext;

/// What an agent in delegated mode has at most, unless its human said otherwise before: to push, and not to administer.
const FIRST_CEILING: Permission = Permission::Write;

/// Loads an agent whose mode is to be changed by the caller, and changes it. What the agent itself delegated
/// ends: it was part of other rights.
pub(super) async fn set_mode(
    ctx: &RequestContext,
    tx: &mut Tx,
    login: &str,
    mode: AgentMode,
) -> Result<Agent> {
    let action = match mode {
        AgentMode::Delegated => Action::AgentDelegate,
        AgentMode::Autonomous => Action::AgentUpdate,
    };
    let (mut agent, _standing) = held(ctx, tx, login, action).await?;
    if agent.mode() == mode {
        return Ok(agent);
    }
    let id = agent.account.id;
    agent.delegator = (mode == AgentMode::Delegated).then(|| ctx.account().cloned()).transpose()?;
    let delegator = agent.delegator.as_ref().map(|human| human.id);
    forge_store::agents::update_delegator(tx, id, delegator).await?;
    if mode == AgentMode::Delegated && agent.ceiling.is_none() {
        agent.ceiling = Some(Ceiling::of(FIRST_CEILING));
        forge_store::agents::update_ceiling(tx, id, agent.ceiling.as_ref()).await?;
    }
    let reason = "the agent acts with other rights";
    let grants = forge_store::grants::revoke(tx, Ended::ByDelegator(id), reason, ctx.now()).await?;
    let event = Event::new("agent.mode_set")
        .subject(id)
        .with("mode", mode.as_str())
        .with("ceiling", agent.ceiling.as_ref().map(Ceiling::words))
        .with("revoked_grants", grants.len());
    ctx.record(tx, event).await?;
    Ok(agent)
}

/// Ends delegated mode when the binding it rests on ends; returns whether there was any.
pub(super) async fn end(tx: &mut Tx, agent: &Agent) -> Result<bool> {
    if agent.delegator.is_some() {
        forge_store::agents::update_delegator(tx, agent.account.id, None).await?;
    }
    Ok(agent.delegator.is_some())
}
