//! Switch sessions: a human acts as an agent for a short while, without touching the agent's own credential. What the
//! session does is the agent's doing, and the log names the human beside it.

use forge_auth::token::Secret;
use forge_types::account::AccountStatus;
use forge_types::agent::Agent;
use forge_types::credential::{Credential, CredentialKind, SWITCH_SESSION_LIMIT};
use forge_types::id::CredentialId;
use forge_types::{Action, Error, Event, Result};

use super::target::{AgentTarget, held};
use crate::context::RequestContext;
use crate::credentials::{NewToken, Parent, issue};
use crate::standing::Standing;

/// What every switch session is called.
const NAME: &str = "agent-switch-session";

/// Opens a switch session. It is limited to what the calling credential is limited to, and renewing does not lead past
/// that one's end.
///
/// # Errors
/// `NotFound` unless the caller is the agent's human; `Conflict` if the agent is suspended.
pub async fn open_switch(ctx: &RequestContext, login: &str) -> Result<(Agent, Secret, Credential)> {
    let mut tx = ctx.begin().await?;
    let (agent, standing) = held(ctx, &mut tx, login, Action::AgentSwitch).await?;
    if agent.account.status != AccountStatus::Active {
        return Err(Error::conflict("the agent is suspended"));
    }
    let calling = ctx.caller().credential.as_ref();
    let limit = ctx.now().plus(SWITCH_SESSION_LIMIT);
    let end = calling.and_then(|credential| credential.expires_at);
    let new = NewToken {
        scopes: calling.and_then(|credential| credential.scopes.clone()),
        acting: Some(ctx.account()?.id),
        parent: calling.map(Parent::from),
        renewable_until: Some(end.map_or(limit, |end| end.min(limit))),
        ..NewToken::new(agent.account.id, CredentialKind::Switch, NAME)
    };
    let (secret, credential) = issue(ctx, &mut tx, &standing, new).await?;
    ctx.record(&mut tx, event("agent.switch_opened", &agent, credential.id)).await?;
    tx.commit().await?;
    Ok((agent, secret, credential))
}

/// Replaces the switch session in use by a fresh one, at most until four hours after the first was opened.
///
/// # Errors
/// `Forbidden` unless it is a switch session; `NotFound` if it is another agent's; `Unauthenticated` if it was
/// replaced meanwhile.
pub async fn renew_switch(ctx: &RequestContext, login: &str) -> Result<(Agent, Secret, Credential)> {
    let mut tx = ctx.begin().await?;
    let agent = ctx.authorize(&mut tx, AgentTarget(login), Action::AgentSwitchRenew).await?;
    let standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let old = ctx.caller().credential.as_ref().ok_or_else(Error::requires_authentication)?;
    let id = agent.account.id;
    if !forge_store::credentials::revoke(&mut tx, id, old.id, "renewed", ctx.now()).await? {
        return Err(Error::bad_credentials());
    }
    let new = NewToken {
        scopes: old.scopes.clone(),
        acting: ctx.caller().acting.as_ref().map(|human| human.id),
        family: Some(&old.family),
        parent: old.parent_id.map(|id| Parent { id, expires_at: None, ..Parent::from(old) }),
        renewable_until: old.renewable_until,
        ..NewToken::new(id, CredentialKind::Switch, NAME)
    };
    let (secret, credential) = issue(ctx, &mut tx, &standing, new).await?;
    ctx.record(&mut tx, event("agent.switch_renewed", &agent, credential.id)).await?;
    tx.commit().await?;
    Ok((agent, secret, credential))
}

/// Ends switch sessions and returns how many: the one in use when called through one, else the one named or all.
///
/// # Errors
/// `NotFound` unless the caller is the agent's human, or acts as the agent, and if the one that is named is not live.
pub async fn end_switch(
    ctx: &RequestContext,
    login: &str,
    only: Option<CredentialId>,
) -> Result<(Agent, u64)> {
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentSwitchEnd).await?;
    let caller = ctx.caller();
    let in_use = caller.acting.as_ref().and(caller.credential.as_ref()).map(|credential| credential.id);
    let ended = forge_store::credentials::revoke_switch_sessions(
        &mut tx,
        agent.account.id,
        in_use.or(only),
        "ended",
        ctx.now(),
    )
    .await?;
    if ended == 0 && only.is_some() {
        return Err(Error::not_found());
    }
    if ended > 0 {
        let mut event = Event::new("agent.switch_ended").subject(agent.account.id).with("sessions", ended);
        if let Some(id) = in_use.or(only) {
            event = event.with("credential_id", id.0);
        }
        ctx.record(&mut tx, event).await?;
        tx.commit().await?;
    }
    Ok((agent, ended))
}

/// Returns the caller's live switch sessions for an agent, newest first, without their values.
///
/// # Errors
/// `NotFound` unless the caller is the agent's human.
pub async fn list_switches(ctx: &RequestContext, login: &str) -> Result<Vec<Credential>> {
    let mut conn = ctx.read().await?;
    let agent = ctx.authorize(&mut conn, AgentTarget(login), Action::AgentRead).await?;
    let (id, human) = (agent.account.id, ctx.account()?.id);
    Ok(forge_store::credentials::list_switch_sessions(&mut conn, id, human, ctx.now()).await?)
}

fn event(name: &'static str, agent: &Agent, id: CredentialId) -> Event {
    Event::new(name).subject(agent.account.id).with("credential_id", id.0)
}
