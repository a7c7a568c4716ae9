//! Undoing a binding that one side did not mean: a stolen invitation that a thief's agent accepted, or an agent that was
//! talked into accepting. For a day, either side ends it together with exactly what it gave; what somebody decided about
//! since stays as they decided.

use forge_store::Tx;
use forge_store::agents::{bindings, given};
use forge_types::agent::{Agent, AgentBinding, UNDO_WINDOW, undo_until};
use forge_types::{Action, Error, Event, Permission, Result};

use forge_store::agents::given::{GivenMembership, GivenPermission, GivenPlace};

use super::delegation;
use super::target::held;
use super::workloads::unbind_all;
use crate::context::RequestContext;
use crate::target::OwnAccount;

/// How many fresh bindings are shown at once.
const SHOWN: i64 = 20;

/// Returns the agents that were bound to the caller so lately that it can be undone, newest first.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list_fresh(ctx: &RequestContext) -> Result<Vec<Agent>> {
    let mut conn = ctx.read().await?;
    let account = ctx.authorize(&mut conn, OwnAccount, Action::AgentList).await?;
    let since = ctx.now().minus(UNDO_WINDOW);
    Ok(bindings::list_agents_bound_after(&mut conn, account.id, since, SHOWN).await?)
}

/// A binding that was undone.
#[derive(Clone, Debug)]
pub struct UndoneBinding {
    /// The agent, as it was.
    pub agent: Agent,
    /// How many switch sessions ended.
    pub revoked_switch_sessions: u64,
    /// Permissions that the agent no longer has.
    pub permissions: Vec<GivenPermission>,
    /// Places in teams that it no longer has.
    pub places: Vec<GivenPlace>,
    /// Organizations it no longer belongs to.
    pub memberships: Vec<GivenMembership>,
}

/// Ends a fresh binding and takes back what accepting the invitation gave, as its human or as the agent. That takes no
/// right in the repositories and teams: it only lowers what this very binding raised.
///
/// # Errors
/// `NotFound` unless the caller is the agent or its human; `Conflict` if it is bound to nobody or its time is over.
pub async fn undo_binding(ctx: &RequestContext, login: &str) -> Result<UndoneBinding> {
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentUndoBinding).await?;
    let id = agent.account.id;
    let binding = bindings::find(&mut tx, id).await?;
    let binding = binding.ok_or_else(|| Error::conflict("the agent is bound to nobody"))?;
    if undo_until(binding.bound_at, ctx.now()).is_none() {
        return Err(Error::conflict(
            "a binding can be undone for 24 hours; its human can still unbind the agent",
        ));
    }
    bindings::delete(&mut tx, id, binding.human_id).await?;
    let was_delegated = delegation::end(&mut tx, &agent).await?;
    let reason = "the binding was undone";
    let ended =
        forge_store::credentials::revoke_switch_sessions(&mut tx, id, None, reason, ctx.now()).await?;
    unbind_all(ctx, &mut tx, id, reason).await?;
    let undone = UndoneBinding {
        permissions: permissions(ctx, &mut tx, &binding).await?,
        places: places(ctx, &mut tx, &binding).await?,
        memberships: memberships(ctx, &mut tx, &binding).await?,
        revoked_switch_sessions: ended,
        agent,
    };
    let other = if ctx.account()?.id == id { binding.human_id } else { id };
    let event = Event::new("agent.binding_undone")
        .subject(other)
        .with("invite_id", binding.invite_id.0.as_str())
        .with("revoked_switch_sessions", ended)
        .with("ended_delegation", was_delegated);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(undone)
}

async fn permissions(
    ctx: &RequestContext,
    tx: &mut Tx,
    binding: &AgentBinding,
) -> Result<Vec<GivenPermission>> {
    let (agent, invite) = (binding.agent_id, &binding.invite_id);
    let mut taken = Vec::new();
    for permission in given::list_permissions(tx, invite, agent).await? {
        if !given::take_permission(tx, invite, agent, &permission).await? {
            continue;
        }
        let is_lowered = permission.permission_before.is_some();
        let name = if is_lowered { "collaborator.set" } else { "collaborator.removed" };
        let event = undoing(name, binding)
            .repository(permission.repository_id)
            .with("permission", permission.permission_before.map(Permission::role_name))
            .with("before", permission.permission.role_name());
        ctx.record(tx, event).await?;
        taken.push(permission);
    }
    Ok(taken)
}

async fn places(ctx: &RequestContext, tx: &mut Tx, binding: &AgentBinding) -> Result<Vec<GivenPlace>> {
    let (agent, invite) = (binding.agent_id, &binding.invite_id);
    let mut taken = Vec::new();
    for place in given::list_places(tx, invite, agent).await? {
        if !given::take_place(tx, invite, agent, &place).await? {
            continue;
        }
        let is_lowered = place.role_before.is_some();
        let name = if is_lowered { "team.member_set" } else { "team.member_removed" };
        let mut event =
            undoing(name, binding).organization(place.organization_id).with("team", place.team_slug.as_str());
        if let Some(role) = place.role_before {
            event = event.with("role", role.as_str());
        }
        ctx.record(tx, event).await?;
        taken.push(place);
    }
    Ok(taken)
}

/// After the places in teams, which a membership carries.
async fn memberships(
    ctx: &RequestContext,
    tx: &mut Tx,
    binding: &AgentBinding,
) -> Result<Vec<GivenMembership>> {
    let (agent, invite) = (binding.agent_id, &binding.invite_id);
    let mut taken = Vec::new();
    for membership in given::list_memberships(tx, invite, agent).await? {
        if given::take_membership(tx, invite, agent, membership.organization_id).await? {
            let event = undoing("organization.member_removed", binding);
            ctx.record(tx, event.organization(membership.organization_id)).await?;
            taken.push(membership);
        }
    }
    Ok(taken)
}

fn undoing(name: &'static str, binding: &AgentBinding) -> Event {
    Event::new(name).subject(binding.agent_id).with("undone_invite_id", binding.invite_id.0.as_str())
}
