//! Changing, suspending and restoring agents. A suspended agent's credentials stop with the commit, switch sessions
//! included: each request asks anew whether the account may act.

use forge_types::account::AccountStatus;
use forge_types::agent::{Agent, AgentMode, StandingAccess};
use forge_types::ceiling::Ceiling;
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::create::check_description;
use super::delegation;
use super::target::{AgentTarget, held};
use crate::context::RequestContext;

const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 500;

/// What to change of an agent; `None` leaves it, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
pub struct AgentChanges {
    /// The display name.
    pub name: Option<Option<String>>,
    /// A sentence about it.
    pub description: Option<Option<String>>,
    /// What its standing token may do.
    pub standing_access: Option<StandingAccess>,
    /// Whether its tokens are good only when they are bound to a key.
    pub bound_only: Option<bool>,
    /// Whether it changes refs by signed pushes only.
    pub signed_only: Option<bool>,
    /// With whose rights its own credentials act.
    pub mode: Option<AgentMode>,
    /// What it has at most.
    pub ceiling: Option<Option<Ceiling>>,
}

/// Changes what an agent is called and what its tokens may do.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller is its human or administers the forge, for delegated mode its human; `Invalid` for a
/// field.
pub async fn update(ctx: &RequestContext, login: &str, changes: AgentChanges) -> Result<Agent> {
    check_description(changes.description.as_ref().and_then(Option::as_deref))?;
    check_name(changes.name.as_ref().and_then(Option::as_deref))?;
    let mut tx = ctx.begin().await?;
    if let Some(mode) = changes.mode {
        delegation::set_mode(ctx, &mut tx, login, mode).await?;
    }
    let (mut agent, _standing) = held(ctx, &mut tx, login, Action::AgentUpdate).await?;
    if let Some(ceiling) = &changes.ceiling {
        // Whose rights are lent says how far.
        let is_wider =
            !agent.ceiling.clone().unwrap_or_default().covers(&ceiling.clone().unwrap_or_default());
        if agent.delegator.is_some() && is_wider {
            ctx.authorize(&mut tx, AgentTarget(login), Action::AgentDelegate).await?;
        }
    }
    let mut event = Event::new("agent.updated").subject(agent.account.id);
    if let Some(name) = changes.name {
        event = event.with("name", name.clone());
        agent.account.name = name;
    }
    if let Some(description) = changes.description {
        event = event.with("description", description.clone());
        agent.account.description = description;
    }
    if let Some(access) = changes.standing_access {
        event = event.with("standing_access", access.as_str());
        agent.standing_access = access;
        forge_store::agents::update_standing_access(&mut tx, agent.account.id, access).await?;
    }
    if let Some(bound_only) = changes.bound_only {
        event = event.with("bound_only", bound_only);
        agent.bound_only = bound_only;
        forge_store::agents::update_bound_only(&mut tx, agent.account.id, bound_only).await?;
    }
    if let Some(signed_only) = changes.signed_only {
        event = event.with("signed_only", signed_only);
        agent.signed_only = signed_only;
        forge_store::agents::update_signed_only(&mut tx, agent.account.id, signed_only).await?;
    }
    if let Some(ceiling) = changes.ceiling {
        event = event.with("ceiling", ceiling.as_ref().map(Ceiling::words));
        agent.ceiling = ceiling;
        forge_store::agents::update_ceiling(&mut tx, agent.account.id, agent.ceiling.as_ref()).await?;
    }
    if event.details.is_empty() {
        tx.commit().await?;
        return Ok(agent);
    }
    agent.account.updated_at = ctx.now();
    forge_store::accounts::update_profile(&mut tx, &agent.account).await?;
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(agent)
}

/// Refuses names that are not a line.
pub(super) fn check_name(name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let is_line = name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    if is_line && !name.trim().is_empty() {
        return Ok(());
    }
    let message = "name must be one line of 1 to 100 characters";
    Err(Error::invalid("Agent", "name", FieldCode::Invalid, message))
}

/// Suspends an agent: none of its credentials is good any more. Suspending one that is suspended changes the reason,
/// unless somebody suspended it whose decision the caller could not undo.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller is its human or administers the forge.
pub async fn suspend(ctx: &RequestContext, login: &str, reason: Option<&str>) -> Result<()> {
    check_reason(reason)?;
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentSuspend).await?;
    let is_suspended = agent.account.status == AccountStatus::Suspended;
    if is_suspended && !ctx.may(&agent, Action::AgentRestore) {
        return Ok(());
    }
    let id = agent.account.id;
    forge_store::accounts::update_status(&mut tx, id, AccountStatus::Suspended, reason, ctx.now()).await?;
    forge_store::agents::update_suspended_by(&mut tx, id, ctx.account_id()).await?;
    let mut event = Event::new("agent.suspended").subject(id);
    if let Some(reason) = reason {
        event = event.with("reason", reason);
    }
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}

fn check_reason(reason: Option<&str>) -> Result<()> {
    let is_short = |text: &str| text.chars().count() <= LONGEST_REASON && !text.chars().any(char::is_control);
    if reason.is_none_or(is_short) {
        return Ok(());
    }
    let message = "reason must be one line of at most 500 characters";
    Err(Error::invalid("Agent", "reason", FieldCode::Invalid, message))
}

/// Restores a suspended agent; its credentials are good again. Restoring one that is not suspended changes nothing.
///
/// # Errors
/// `NotFound`, or `Forbidden` unless the caller administers the forge or is the human who suspended it.
pub async fn restore(ctx: &RequestContext, login: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentRestore).await?;
    if agent.account.status != AccountStatus::Suspended {
        return Ok(());
    }
    let id = agent.account.id;
    forge_store::accounts::update_status(&mut tx, id, AccountStatus::Active, None, ctx.now()).await?;
    forge_store::agents::update_suspended_by(&mut tx, id, None).await?;
    ctx.record(&mut tx, Event::new("agent.restored").subject(id)).await?;
    Ok(tx.commit().await?)
}
