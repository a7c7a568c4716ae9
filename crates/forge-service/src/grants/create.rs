//! Making a grant.

use forge_auth::grant::{GrantDetails, NamedDelegator};
use forge_store::Tx;
use forge_types::account::{AccountKind, AccountRef, AccountStatus};
use forge_types::grant::{
    DEFAULT_LIFETIME, GrantLife, GrantTerms, GrantUse, MAX_DEPTH, MAX_LIFETIME, TaskGrant,
};
use forge_types::id::{AccountId, GrantId};
use forge_types::{Action, Error, FieldCode, Result, Timestamp, name};

use super::policy::{self, Claim};
use super::{event, resolve};
use crate::context::RequestContext;
use crate::oauth::issuer;
use crate::standing::Standing;
use crate::target::OwnAccount;

/// Lets an agent do something for a task. An agent that was given a task may pass part of it on, two levels deep.
///
/// The agent's consent is not needed if the delegator is its human, or an organization it belongs to.
///
/// # Errors
/// `Invalid` for what is not understood, not enforced, not there, or more than the caller was granted itself.
pub async fn create(ctx: &RequestContext, details: &GrantDetails) -> Result<TaskGrant> {
    let mut tx = ctx.begin().await?;
    let grant = make(ctx, &mut tx, details, Consent::AsUsual).await?;
    tx.commit().await?;
    Ok(grant)
}

/// The same for what the agent itself asked for, as part of `tx`, which may be its consent.
///
/// # Errors
/// As [`create`].
pub(crate) async fn create_asked(
    ctx: &RequestContext,
    tx: &mut Tx,
    details: &GrantDetails,
    is_consent: bool,
) -> Result<TaskGrant> {
    make(ctx, tx, details, if is_consent { Consent::Given } else { Consent::AsUsual }).await
}

/// Whether the agent has still to consent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// Unless it is its human's or its organization's.
    AsUsual,
    /// It asked for this.
    Given,
}

async fn make(
    ctx: &RequestContext,
    tx: &mut Tx,
    details: &GrantDetails,
    consent: Consent,
) -> Result<TaskGrant> {
    details.check_frame(&issuer(ctx))?;
    let named_delegator = details.named_delegator()?;
    if let NamedDelegator::Policy(organization, name) = &named_delegator {
        return by_policy(ctx, tx, details, (organization, name)).await;
    }
    let (task, actions) = (details.task()?, details.granted_actions()?);
    let (constraints, asked_end) = details.bounds()?;
    let named = details.named_resources()?;
    ctx.authorize(tx, OwnAccount, Action::TaskGrantCreate).await?;
    check_mode(ctx)?;
    let agent = agent(tx, details.agent_login()?).await?;
    let _standing = Standing::of_caller(ctx, tx, &[agent.id]).await?;
    let delegator = resolve::delegator(ctx, tx, &named_delegator).await?;
    let only_of = (delegator.kind == AccountKind::Organization).then_some(delegator.id);
    let resources = resolve::resources(ctx, tx, named, only_of).await?;
    let terms = GrantTerms { resources, actions, constraints };
    let depth = check_part(ctx, &terms, &delegator)?;
    let needs_consent = consent == Consent::AsUsual && needs_consent(ctx, tx, &delegator, &agent).await?;
    let life = GrantLife {
        needs_consent,
        consented_at: None,
        expires_at: end(ctx, tx, asked_end).await?,
        revoked_at: None,
    };
    let grant = TaskGrant {
        id: GrantId(ctx.app().random_id(GrantId::PREFIX)),
        holder_id: ctx.caller().subject.principal().map_or(delegator.id, |principal| match only_of {
            Some(organization) => organization,
            None => principal.rights_id(),
        }),
        agent,
        delegator,
        task,
        parent_id: ctx.grants().first().map(|grant| grant.id.clone()),
        depth,
        terms,
        life,
        revoke_reason: None,
        policy: None,
        created_by: ctx.account()?.id,
        created_at: ctx.now(),
        used: GrantUse::default(),
    };
    put_down(ctx, tx, grant).await
}

async fn put_down(ctx: &RequestContext, tx: &mut Tx, grant: TaskGrant) -> Result<TaskGrant> {
    forge_store::grants::insert(tx, &grant).await?;
    ctx.record(tx, event("task_grant.created", &grant)).await?;
    Ok(grant)
}

/// An agent takes a task by a policy: it is the agent's own doing, so its consent is there.
async fn by_policy(
    ctx: &RequestContext,
    tx: &mut Tx,
    details: &GrantDetails,
    named: (&str, &str),
) -> Result<TaskGrant> {
    let task = details.task()?;
    let Claim { agent, delegator, policy, terms, expires_at } =
        policy::claim(ctx, tx, details, named).await?;
    if details.agent.is_some() && name::key(details.agent_login()?) != name::key(&agent.login) {
        let message = "by a policy an agent takes tasks for itself";
        return Err(Error::invalid("TaskGrant", "agent", FieldCode::Invalid, message));
    }
    let _standing = Standing::of_caller(ctx, tx, &[agent.id]).await?;
    let grant = TaskGrant {
        id: GrantId(ctx.app().random_id(GrantId::PREFIX)),
        holder_id: delegator.id,
        agent,
        delegator,
        task,
        parent_id: None,
        depth: 1,
        terms,
        life: GrantLife { needs_consent: false, consented_at: None, expires_at, revoked_at: None },
        revoke_reason: None,
        created_by: policy.created_by.id,
        policy: Some((policy.id, policy.name)),
        created_at: ctx.now(),
        used: GrantUse::default(),
    };
    put_down(ctx, tx, grant).await
}

/// The rights an agent uses in delegated mode are not its own to give.
fn check_mode(ctx: &RequestContext) -> Result<()> {
    let is_delegated = ctx.caller().authority.as_ref().is_some_and(|authority| authority.grant.is_none());
    if !is_delegated {
        return Ok(());
    }
    let message = "an agent that acts with its human's rights cannot delegate them; its human can";
    Err(Error::invalid("TaskGrant", "delegator", FieldCode::Invalid, message))
}

async fn agent(tx: &mut Tx, login: &str) -> Result<AccountRef> {
    let found = forge_store::accounts::find_by_login(tx, login).await?;
    let is_acting_agent = |account: &forge_types::Account| {
        account.kind == AccountKind::Agent && account.status == AccountStatus::Active
    };
    let agent = found.filter(is_acting_agent).ok_or_else(|| {
        Error::invalid("TaskGrant", "agent", FieldCode::Missing, format!("there is no agent `{login}`"))
    })?;
    Ok(AccountRef::from(&agent))
}

/// What is passed on is part of every grant it stands on. Returns how deep that is.
fn check_part(ctx: &RequestContext, terms: &GrantTerms, delegator: &AccountRef) -> Result<i64> {
    let refuse = |field, message: String| Error::invalid("TaskGrant", field, FieldCode::Invalid, message);
    let chain = ctx.grants();
    if !chain.is_empty() && Some(delegator.id) != ctx.account_id() {
        return Err(refuse("delegator", "with a task token one passes on one's own task only".to_owned()));
    }
    for grant in chain {
        terms
            .within(&grant.terms)
            .map_err(|what| refuse("grant", format!("this goes beyond grant {}: {what}", grant.id)))?;
    }
    let depth = i64::try_from(chain.len()).unwrap_or(i64::MAX).saturating_add(1);
    if depth > MAX_DEPTH {
        return Err(refuse("grant", format!("a task can be passed on {} times at most", MAX_DEPTH - 1)));
    }
    Ok(depth)
}

/// An agent answers to its human and works for the organizations it belongs to. Anyone else has to ask it, another agent too.
pub(super) async fn needs_consent(
    ctx: &RequestContext,
    tx: &mut Tx,
    delegator: &AccountRef,
    agent: &AccountRef,
) -> Result<bool> {
    if delegator.id == agent.id {
        return Ok(false);
    }
    let owner = forge_store::agents::bindings::find(tx, agent.id).await?.map(|binding| binding.human_id);
    let is_own = owner.is_some() && owner == ctx.account_id();
    match delegator.kind {
        AccountKind::Human => Ok(!is_own),
        AccountKind::Agent => Ok(true),
        AccountKind::Organization => Ok(!is_own && !is_member(tx, delegator.id, agent.id).await?),
    }
}

async fn is_member(tx: &mut Tx, organization: AccountId, agent: AccountId) -> Result<bool> {
    Ok(forge_store::members::find(tx, organization, agent).await?.is_some())
}

/// Returns when the grant ends: not after what it is a part of, and not in more than 30 days.
pub(super) async fn end(ctx: &RequestContext, tx: &mut Tx, asked: Option<Timestamp>) -> Result<Timestamp> {
    let refuse = |message: &str| Err(Error::invalid("TaskGrant", "expires_at", FieldCode::Invalid, message));
    let now = ctx.now();
    let mut latest = now.plus(MAX_LIFETIME);
    for grant in ctx.grants() {
        let parent = forge_store::grants::find_viewed(tx, None, &grant.id).await?;
        latest = parent.map_or(latest, |parent| latest.min(parent.grant.life.expires_at));
    }
    match asked {
        Some(asked) if asked <= now => refuse("expires_at must be in the future"),
        Some(asked) if asked > latest => {
            refuse("expires_at is at most 30 days away, and not after the grant this is part of")
        }
        Some(asked) => Ok(asked),
        None => Ok(latest.min(now.plus(DEFAULT_LIFETIME))),
    }
}
