//! The agent's consent: accepting an invitation binds it to the inviter and gives it what the invitation carries, all
//! in one transaction or not at all.

use forge_auth::policy::{Means, Principal, Subject};
use forge_auth::token::Secret;
use forge_store::Tx;
use forge_types::account::{Account, AccountRef, AccountStatus};
use forge_types::agent::{AgentBinding, AgentInvite, InviteState};
use forge_types::id::AccountId;
use forge_types::{Action, Error, ErrorKind, Event, FieldCode, Result, name};

use super::grants::Giving;
use super::invites::find_by_token;
use super::target::OwnAgent;
use crate::context::RequestContext;
use crate::standing::Standing;

/// A binding that has just come into being.
#[derive(Clone, Debug)]
pub struct ConfirmedBinding {
    /// The binding.
    pub binding: AgentBinding,
    /// The agent's login.
    pub agent_login: String,
    /// The human's login.
    pub human_login: String,
    /// The invitation, with what it gave.
    pub invite: AgentInvite,
}

/// Accepts the invitation that `token` is the secret of, as the agent that calls.
///
/// # Errors
/// `Forbidden` for a human or a switch session, or if the inviter may no longer give what the invitation carries;
/// `Conflict` if it was used or the agent is bound; `Invalid` if it is unknown, withdrawn, over or for another agent.
pub async fn confirm(ctx: &RequestContext, token: &Secret) -> Result<ConfirmedBinding> {
    let mut tx = ctx.begin().await?;
    let own = ctx.authorize(&mut tx, OwnAgent, Action::AgentConfirm).await?;
    let invite = open_invite(ctx, &mut tx, token).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[invite.human_id]).await?;
    let agent = free_agent(&mut tx, own.id).await?;
    let (human_id, invite_id) = (invite.human_id, invite.id.clone());
    let binding = AgentBinding { agent_id: own.id, human_id, invite_id, bound_at: ctx.now() };
    bind(ctx, &mut tx, &binding).await?;
    let inviter = inviter(ctx, &mut tx, invite.human_id).await?;
    let given =
        Giving { ctx, inviter: &inviter, agent: &agent, invite: &invite.id }.all(&mut tx, &invite).await;
    given.map_err(|error| lost(ctx, &error, &inviter).unwrap_or(error))?;
    let event = Event::new("agent.bound").subject(invite.human_id).with("invite_id", invite.id.0.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    let human_login = inviter.account()?.login.clone();
    Ok(ConfirmedBinding { binding, agent_login: agent.login, human_login, invite })
}

async fn open_invite(ctx: &RequestContext, tx: &mut Tx, token: &Secret) -> Result<AgentInvite> {
    let unknown = || {
        let message = "invite_token is unknown, expired or withdrawn";
        Error::invalid("AgentInvite", "invite_token", FieldCode::Invalid, message)
    };
    let invite = find_by_token(ctx, tx, token).await?.ok_or_else(unknown)?;
    let own = ctx.account()?;
    let is_for_it = invite.agent_login.as_ref().is_none_or(|login| name::key(login) == name::key(&own.login))
        && invite.registered_id.is_none_or(|registered| registered == own.id);
    match invite.state(ctx.now()) {
        _ if !is_for_it => Err(unknown()),
        InviteState::Pending => Ok(invite),
        InviteState::Accepted => Err(used()),
        InviteState::Withdrawn | InviteState::Expired => Err(unknown()),
    }
}

fn used() -> Error {
    Error::conflict("the invite was used already")
}

fn bound() -> Error {
    Error::conflict("the agent is bound already; its human has to unbind it first")
}

/// Returns the agent, which no one else decides about until the transaction ends.
async fn free_agent(tx: &mut Tx, id: AccountId) -> Result<AccountRef> {
    forge_store::agents::bindings::lock_agent(tx, id).await?;
    let agent = forge_store::agents::find(tx, id).await?.ok_or_else(Error::bad_credentials)?;
    if agent.account.status != AccountStatus::Active {
        return Err(Error::bad_credentials());
    }
    if agent.owner.is_some() {
        return Err(bound());
    }
    Ok(AccountRef::from(&agent.account))
}

/// Of two that want the same invitation or the same agent at once, the second waits here and is refused.
async fn bind(ctx: &RequestContext, tx: &mut Tx, binding: &AgentBinding) -> Result<()> {
    if !forge_store::agents::invites::consume(tx, &binding.invite_id, binding.agent_id, ctx.now()).await? {
        return Err(used());
    }
    if !forge_store::agents::bindings::insert(tx, binding).await? {
        return Err(bound());
    }
    Ok(())
}

/// Returns the context in which the inviter's rights are asked again.
async fn inviter(ctx: &RequestContext, tx: &mut Tx, human: AccountId) -> Result<RequestContext> {
    let found = forge_store::accounts::find(tx, human).await?;
    let is_active = |account: &Account| account.status == AccountStatus::Active;
    let account = found.filter(is_active).ok_or_else(refused)?;
    let principal = Principal::new(account.id, account.kind, account.is_site_admin, Means::Deferred);
    Ok(ctx.deferred_for(AccountRef::from(&account), Subject::Principal(principal)))
}

/// Turns a refusal of the inviter into the agent's, which is not told what the invitation would have given.
fn lost(ctx: &RequestContext, error: &Error, inviter: &RequestContext) -> Option<Error> {
    let is_refusal = matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::Forbidden
            | ErrorKind::ApprovalRequired(_)
            | ErrorKind::Unauthenticated
            | ErrorKind::InsufficientScope(_)
    );
    is_refusal.then(|| {
        ctx.adopt_refusals(inviter);
        refused()
    })
}

fn refused() -> Error {
    Error::forbidden("the human who made this invite may no longer give what it carries")
}
