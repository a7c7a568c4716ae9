//! Task grants: who lets which agent do what, for which task, until when.
//!
//! A grant conveys: a token for it acts with the rights its delegator has at that moment, within the terms. So whoever makes
//! one needs no more right than to see what it is about, and gives nothing that it does not have. What a grant does to a
//! decision is in `forge_auth::policy`; how a token for one is had is in [`crate::oauth`].

mod change;
mod consent;
mod create;
mod policy;
mod resolve;
mod target;

pub use forge_auth::grant::GrantDetails;
use forge_store::grants::Ended;
pub use forge_store::grants::GrantFilter;
use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::grant::{DETAILS_TYPE, GrantConstraints, TaskGrant};
use forge_types::id::GrantId;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Event, Result};
use serde_json::{Value, json};

use crate::approvals;
use crate::context::RequestContext;
use crate::oauth::issuer;
use crate::target::{OwnAccount, Site};

pub use change::change;
pub use consent::consent;
pub use create::create;
pub(crate) use create::create_asked;
pub use forge_store::delegation_policies::DelegationPolicy;
pub use policy::{NewPolicy, create_policy, list_policies, remove_policy};
pub(crate) use policy::{end_left, remove_within as remove_policy_within};
pub(crate) use target::{GrantTarget, facts_of};

/// Returns a grant.
///
/// # Errors
/// `NotFound` unless the caller is part of it.
pub async fn find(ctx: &RequestContext, id: &GrantId) -> Result<TaskGrant> {
    let mut conn = ctx.read().await?;
    Ok(ctx.authorize(&mut conn, GrantTarget(id), Action::TaskGrantRead).await?.grant)
}

/// Returns a page of the grants the caller is part of, newest first; a site administrator sees all.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list(ctx: &RequestContext, filter: &GrantFilter, page: PageRequest) -> Result<Page<TaskGrant>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::TaskGrantList).await?;
    let sees_all = ctx.may(&Site, Action::SiteAuditRead);
    Ok(forge_store::grants::list(&mut conn, own.id, sees_all, filter, page, ctx.now()).await?)
}

/// Returns whether to offer the caller, whose agent this first grant is for, that the agent's own token only reads from now on:
/// what writes is then always a task.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn offers_read(ctx: &RequestContext, grant: &TaskGrant) -> Result<bool> {
    let mut conn = ctx.read().await?;
    let Some(agent) = forge_store::agents::find(&mut conn, grant.agent.id).await? else { return Ok(false) };
    let could = agent.standing_access == StandingAccess::Full && ctx.may(&agent, Action::AgentUpdate);
    Ok(could && forge_store::grants::count_for(&mut conn, agent.account.id).await? == 1)
}

/// Ends a grant with all that are parts of it; tokens for them are worth nothing once this returns. Ending one that is over
/// changes nothing.
///
/// # Errors
/// `NotFound` unless the caller is part of it, `Forbidden` unless it delegated, is the agent or the agent's human, or
/// administers the forge.
pub async fn revoke(ctx: &RequestContext, id: &GrantId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, GrantTarget(id), Action::TaskGrantRevoke).await?;
    let reason = format!("revoked by {}", ctx.account()?.login);
    let ended = forge_store::grants::revoke(&mut tx, Ended::Grant(id), &reason, ctx.now()).await?;
    if ended.is_empty() {
        return Ok(());
    }
    ctx.record(&mut tx, event("task_grant.revoked", &found.grant).with("ended", names(&ended))).await?;
    tx.commit().await?;
    approvals::sweep_soon(ctx.app());
    Ok(())
}

pub(crate) fn names(ids: &[GrantId]) -> Vec<&str> {
    ids.iter().map(|id| id.0.as_str()).collect()
}

/// Returns a grant as RFC 9396 has it: what was asked for, with names resolved and everything that was left out filled in.
#[must_use]
pub fn granted(ctx: &RequestContext, grant: &TaskGrant) -> Value {
    let terms = &grant.terms;
    json!({
        "type": DETAILS_TYPE,
        "locations": [format!("{}/api", issuer(ctx))],
        "identifier": format!("task:{}", grant.task),
        "grant_id": grant.id,
        "agent": format!("agent:{}", grant.agent.login),
        "delegator": target::delegator_name(&grant.delegator),
        "task": grant.task,
        "resources": terms.resources.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "actions": terms.actions,
        "constraints": constraints(&terms.constraints, grant),
    })
}

fn constraints(constraints: &GrantConstraints, grant: &TaskGrant) -> Value {
    json!({
        "branch_prefix": constraints.branch_prefix,
        "paths_deny": constraints.paths_deny,
        "expires_at": grant.life.expires_at,
        "budgets": { "pushes": constraints.budgets.pushes, "bytes": constraints.budgets.bytes },
        "requires_approval": constraints.requires_approval,
    })
}

fn event(name: &'static str, grant: &TaskGrant) -> Event {
    let actions: Vec<&str> = grant.terms.actions.iter().map(|action| action.as_str()).collect();
    let resources: Vec<String> = grant.terms.resources.iter().map(ToString::to_string).collect();
    let mut event = Event::new(name)
        .subject(grant.agent.id)
        .with("grant_id", grant.id.0.as_str())
        .with("agent", grant.agent.login.as_str())
        .with("delegator", target::delegator_name(&grant.delegator))
        .with("task", grant.task.as_str())
        .with("resources", resources)
        .with("actions", actions)
        .with("constraints", json!(grant.terms.constraints))
        .with("expires_at", grant.life.expires_at.to_string());
    if let Some((_, policy)) = &grant.policy {
        event = event.with("policy", policy.as_str());
    }
    if let Some(parent) = &grant.parent_id {
        event = event.with("parent_grant_id", parent.0.as_str());
    }
    if grant.delegator.kind == AccountKind::Organization {
        event = event.organization(grant.delegator.id);
    }
    if let [repository] = grant.terms.resources.as_slice()
        && let Some(id) = repository.repository_id()
    {
        event = event.repository(id);
    }
    event
}
