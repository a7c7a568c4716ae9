//! What a human does with an agent that consented: name it, recover it, let it go.

use forge_auth::token::Secret;
use forge_store::audit::AuditEvent;
use forge_store::grants::Ended;
use forge_types::agent::Agent;
use forge_types::credential::Credential;
use forge_types::{Action, Error, Event, Result};

use super::create::credential_kind;
use super::delegation;
use super::state::{AgentChanges, check_name, update};
use super::target::{AgentTarget, held};
use super::workloads::unbind_all;
use crate::app::AgentCredential;
use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};

/// What the audit log calls a recovery.
const RECOVERED: &str = "agent.recovered";

/// Gives an agent another display name.
///
/// # Errors
/// `NotFound` unless the caller is its human or administers the forge; `Invalid` if it is no name.
pub async fn rename(ctx: &RequestContext, login: &str, name: &str) -> Result<Agent> {
    check_name(Some(name))?;
    let changes = AgentChanges { name: Some(Some(name.to_owned())), ..AgentChanges::default() };
    update(ctx, login, changes).await
}

/// Ends the binding of an agent and the switch sessions that rest on it; returns how many those were. What the agent
/// was given, and its own credentials, stay; what opened sessions from where it runs does not.
///
/// # Errors
/// `NotFound` unless the caller is its human.
pub async fn unbind(ctx: &RequestContext, login: &str) -> Result<(Agent, u64)> {
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentUnbind).await?;
    let (id, human) = (agent.account.id, ctx.account()?.id);
    if !forge_store::agents::bindings::delete(&mut tx, id, human).await? {
        return Err(Error::not_found());
    }
    let ended = forge_store::credentials::revoke_switch_sessions(
        &mut tx,
        id,
        None,
        "the agent was unbound",
        ctx.now(),
    )
    .await?;
    unbind_all(ctx, &mut tx, id, "the agent was unbound").await?;
    let between = Ended::Between(human, id);
    let grants = forge_store::grants::revoke(&mut tx, between, "the agent was unbound", ctx.now()).await?;
    let was_delegated = delegation::end(&mut tx, &agent).await?;
    let event = Event::new("agent.unbound")
        .subject(id)
        .with("revoked_switch_sessions", ended)
        .with("revoked_grants", grants.len())
        .with("ended_delegation", was_delegated);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok((agent, ended))
}

/// An agent that has just been recovered, with the only copy of its new credential's value.
#[derive(Debug)]
pub struct Recovered {
    /// The agent.
    pub agent: Agent,
    /// The value of the new credential.
    pub secret: Secret,
    /// That credential.
    pub credential: Credential,
    /// How many credentials ended.
    pub revoked: u64,
}

/// Ends every credential and key of an agent, whoever holds it, and makes a new credential. What that takes besides
/// being its human is the forge's setting.
///
/// # Errors
/// `NotFound` unless the caller is its human; `Forbidden` from a browser whose person did not just confirm to be there.
pub async fn recover(
    ctx: &RequestContext,
    login: &str,
    credential: Option<AgentCredential>,
) -> Result<Recovered> {
    let kind = credential_kind(ctx, credential)?;
    let mut tx = ctx.begin().await?;
    let (agent, standing) = held(ctx, &mut tx, login, Action::AgentRecover).await?;
    let id = agent.account.id;
    let reason = "the agent was recovered";
    let revoked = forge_store::credentials::revoke_all(&mut tx, id, reason, ctx.now()).await?;
    // Whoever had the agent's token could add a key that outlives it.
    let keys = forge_store::public_keys::delete_all(&mut tx, id).await?;
    let proved_with = forge_store::agents::keys::revoke_all(&mut tx, id, ctx.now()).await?;
    unbind_all(ctx, &mut tx, id, reason).await?;
    let (secret, credential) = issue(ctx, &mut tx, &standing, NewToken::new(id, kind, "reset")).await?;
    let keys: Vec<String> = keys.into_iter().map(|key| key.fingerprint).collect();
    let event = Event::new(RECOVERED)
        .subject(id)
        .with("login", agent.account.login.as_str())
        .with("revoked_credentials", revoked)
        .with("removed_keys", keys)
        .with("withdrawn_keys", proved_with)
        .with("credential_id", credential.id.0);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(Recovered { agent, secret, credential, revoked })
}

/// Returns how the caller last recovered an agent: when, from where, with what. A recovery that its human did not ask for
/// is how a thief with the human's token shows.
///
/// # Errors
/// `NotFound` unless the caller may read the agent.
pub async fn last_recovery(ctx: &RequestContext, login: &str) -> Result<Option<AuditEvent>> {
    let mut conn = ctx.read().await?;
    let agent = ctx.authorize(&mut conn, AgentTarget(login), Action::AgentRead).await?;
    let own = agent.owner.filter(|owner| Some(owner.id) == ctx.account_id());
    let Some(human) = own else { return Ok(None) };
    Ok(forge_store::audit::find_latest(&mut conn, human.id, agent.account.id, RECOVERED).await?)
}
