//! Ending what agents hold, along one path: a token, an agent, a task, a grant, a human, an organization, a policy. Each is seen by
//! the next request.

mod leaked;

use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::grants::Ended;
use forge_types::account::AccountKind;
use forge_types::id::{AccountId, GrantId};
use forge_types::{Action, Error, Event, Result, name};

use crate::agents::AgentTarget;
use crate::context::RequestContext;
use crate::credentials::{find_by_value, revoke_found};
use crate::grants::GrantTarget;
use crate::organizations::OrganizationTarget;
use crate::reason;
use crate::standing::{Standing, hold_to_end};
use crate::target::{OwnAccount, Site};

pub use leaked::{MOST_LEAKED, revoke_leaked};

/// Along which path is revoked.
#[derive(Clone, Debug)]
pub enum Path {
    /// One token, by its value.
    Token(Secret),
    /// Everything one agent holds.
    Agent(String),
    /// Everything the caller delegated for one task.
    Task(String),
    /// One grant with all that is part of it.
    Grant(GrantId),
    /// Everything one human delegated, and everything the human's agents hold.
    Owner(String),
    /// Everything an organization delegated.
    Organization(String),
    /// A policy by which an organization delegates, with everything that came by it: `ORGANIZATION/NAME`.
    Policy(String),
}

/// How much ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Credentials.
    pub credentials: u64,
    /// Grants; tokens for them end with them.
    pub grants: u64,
}

/// Revokes along a path.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller may end that.
pub async fn revoke(ctx: &RequestContext, path: &Path, reason: &str) -> Result<Counts> {
    let reason = reason::check("Revocation", reason)?;
    let mut tx = ctx.begin().await?;
    let (counts, event) = match path {
        Path::Token(token) => token_of(ctx, &mut tx, token).await?,
        Path::Agent(login) => agent(ctx, &mut tx, login, reason).await?,
        Path::Task(task) => {
            let own = ctx.authorize(&mut tx, OwnAccount, Action::RevokeDelegated).await?;
            let ended = grants(ctx, &mut tx, Ended::OfTask(task, own.id), reason).await?;
            (ended, Event::new("revoked.task").with("task", task.as_str()))
        }
        Path::Grant(id) => {
            ctx.authorize(&mut tx, GrantTarget(id), Action::TaskGrantRevoke).await?;
            let ended = grants(ctx, &mut tx, Ended::Grant(id), reason).await?;
            (ended, Event::new("revoked.grant").with("grant_id", id.0.as_str()))
        }
        Path::Owner(login) => owner(ctx, &mut tx, login, reason).await?,
        Path::Policy(named) => {
            let (organization, name) = named.split_once('/').ok_or_else(Error::not_found)?;
            let target = OrganizationTarget::Login(organization);
            let grants = crate::grants::remove_policy_within(ctx, &mut tx, target, name).await?;
            let event = Event::new("revoked.policy").with("policy", named.as_str());
            (Counts { credentials: 0, grants }, event)
        }
        Path::Organization(login) => {
            let target = OrganizationTarget::Login(login);
            let found = ctx.authorize(&mut tx, target, Action::OrganizationAdminister).await?;
            let id = found.organization.account.id;
            let ended = grants(ctx, &mut tx, Ended::ByDelegator(id), reason).await?;
            (ended, Event::new("revoked.organization").organization(id))
        }
    };
    let event =
        event.with("reason", reason).with("credentials", counts.credentials).with("grants", counts.grants);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    crate::approvals::sweep_soon(ctx.app());
    Ok(counts)
}

async fn grants(ctx: &RequestContext, tx: &mut Tx, which: Ended<'_>, reason: &str) -> Result<Counts> {
    let ended = forge_store::grants::revoke(tx, which, reason, ctx.now()).await?;
    Ok(Counts { credentials: 0, grants: u64::try_from(ended.len()).unwrap_or(u64::MAX) })
}

/// A token of the caller's, or of an agent of the caller's.
async fn token_of(ctx: &RequestContext, tx: &mut Tx, token: &Secret) -> Result<(Counts, Event)> {
    let found = find_by_value(ctx, tx, token).await?.ok_or_else(Error::not_found)?;
    let account = forge_store::accounts::find(tx, found.account_id).await?.ok_or_else(Error::not_found)?;
    if Some(account.id) == ctx.account_id() {
        ctx.authorize(tx, OwnAccount, Action::CredentialRevoke).await?;
    } else if account.kind == AccountKind::Agent {
        ctx.authorize(tx, AgentTarget(&account.login), Action::AgentRevoke).await?;
    } else {
        return Err(Error::not_found());
    }
    revoke_found(ctx, tx, &found).await?;
    let event = Event::new("revoked.token").subject(account.id).with("credential_id", found.id.0);
    Ok((Counts { credentials: 1, grants: 0 }, event))
}

async fn agent(ctx: &RequestContext, tx: &mut Tx, login: &str, reason: &str) -> Result<(Counts, Event)> {
    let found = ctx.authorize(tx, AgentTarget(login), Action::AgentRevoke).await?;
    let id = found.account.id;
    let _standing = Standing::of_caller(ctx, tx, &[id]).await?;
    ctx.authorize(tx, AgentTarget(login), Action::AgentRevoke).await?;
    let mut counts = grants(ctx, tx, Ended::OfAgent(id), reason).await?;
    counts.credentials = forge_store::credentials::revoke_all(tx, id, reason, ctx.now()).await?;
    Ok((counts, Event::new("revoked.agent").subject(id)))
}

async fn owner(ctx: &RequestContext, tx: &mut Tx, login: &str, reason: &str) -> Result<(Counts, Event)> {
    let is_own = ctx.account().is_ok_and(|account| name::key(&account.login) == name::key(login));
    let id: AccountId = if is_own {
        ctx.authorize(tx, OwnAccount, Action::RevokeDelegated).await?.id
    } else {
        ctx.authorize(tx, Site, Action::SiteAdminister).await?;
        let found = forge_store::accounts::find_by_login(tx, login).await?;
        found.filter(|account| account.kind == AccountKind::Human).ok_or_else(Error::not_found)?.id
    };
    let mut counts = grants(ctx, tx, Ended::ByDelegator(id), reason).await?;
    let agents = forge_store::agents::bindings::list_agent_ids(tx, id).await?;
    for agent in agents {
        hold_to_end(tx, agent).await?;
        counts.grants += grants(ctx, tx, Ended::OfAgent(agent), reason).await?.grants;
        counts.credentials += forge_store::credentials::revoke_all(tx, agent, reason, ctx.now()).await?;
    }
    Ok((counts, Event::new("revoked.owner").subject(id)))
}
