//! Delegating by policy: an owner of an organization says once which agents take which tasks, and they take them by
//! themselves. The organization delegates, within the policy's terms; whoever made the policy answers for it.
//!
//! INVARIANT: what comes by a policy is never more than its terms, ends with it, and is for agents of its group alone.

use std::time::Duration;

use forge_auth::grant::GrantDetails;
use forge_store::Tx;
use forge_store::delegation_policies::{DelegationPolicy, NewDelegationPolicy};
use forge_store::grants::Ended;
use forge_types::access_group::{AccessGroupPlace, DEFAULT};
use forge_types::account::{AccountKind, AccountRef};
use forge_types::grant::{DEFAULT_LIFETIME, GrantResource, GrantTerms, MAX_LIFETIME};
use forge_types::id::{AccountId, GrantId};
use forge_types::name::check_slug;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result, Timestamp};

use super::{names, resolve};
use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::policies::begin_change;
use crate::target::OwnAccount;

/// So many tasks by one policy an agent has open at once.
const MOST_LIVE: i64 = 20;

/// A policy as it is asked for.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// The access group whose agents take tasks by it.
    pub group: String,
    /// How long a task lasts at most; eight hours if not said.
    pub longest: Option<Duration>,
    /// Resources, actions and constraints.
    pub details: GrantDetails,
}

fn invalid(field: &'static str, message: impl Into<String>) -> Error {
    Error::invalid("DelegationPolicy", field, FieldCode::Invalid, message)
}

/// Makes a policy.
///
/// # Errors
/// `Invalid` for what cannot be granted, a name that is taken, or a group that is none; what the decision says.
pub async fn create_policy(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    new: &NewPolicy,
) -> Result<DelegationPolicy> {
    check_slug("DelegationPolicy", &new.name)?;
    let longest = new.longest.unwrap_or(DEFAULT_LIFETIME);
    if longest.is_zero() || longest > MAX_LIFETIME {
        return Err(invalid("max_lifetime", "max_lifetime is 1 second to 30 days"));
    }
    if new.group == DEFAULT {
        return Err(invalid(
            "group",
            "`default` takes in whoever comes; name a group that agents are put into",
        ));
    }
    let (constraints, end) = new.details.bounds()?;
    if end.is_some() {
        return Err(invalid("constraints", "a policy has max_lifetime, not expires_at"));
    }
    let (actions, named) = (new.details.granted_actions()?, new.details.named_resources()?);
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, id).await?;
    let group = forge_store::access_groups::find(&mut tx, id, &new.group).await?;
    let group = group.ok_or_else(|| invalid("group", format!("there is no access group `{}`", new.group)))?;
    let resources = resolve::resources(ctx, &mut tx, named, Some(id)).await?;
    let terms = GrantTerms { resources, actions, constraints };
    if forge_store::delegation_policies::find(&mut tx, id, &new.name).await?.is_some() {
        let message = format!("the organization has a delegation policy `{}` already", new.name);
        return Err(Error::invalid("DelegationPolicy", "name", FieldCode::AlreadyExists, message));
    }
    let row = NewDelegationPolicy {
        organization_id: id,
        name: &new.name,
        group_id: group.id,
        terms: &terms,
        longest: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
        created_by: ctx.account()?.id,
    };
    forge_store::delegation_policies::insert(&mut tx, &row, ctx.now()).await?;
    let made = forge_store::delegation_policies::find(&mut tx, id, &new.name).await?;
    let made = made.ok_or_else(Error::not_found)?;
    ctx.record(&mut tx, event("delegation_policy.created", &made)).await?;
    tx.commit().await?;
    Ok(made)
}

/// Returns a page of the policies of an organization, by name.
///
/// # Errors
/// What the decision says.
pub async fn list_policies(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    page: PageRequest,
) -> Result<Page<DelegationPolicy>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, organization, Action::OrganizationReadPolicies).await?;
    Ok(forge_store::delegation_policies::list(&mut conn, found.organization.account.id, page).await?)
}

/// Removes a policy and ends what was granted by it; returns how many grants those were.
///
/// # Errors
/// `NotFound` if there is none of that name; what the decision says.
pub async fn remove_policy(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: &str,
) -> Result<u64> {
    let mut tx = ctx.begin().await?;
    let ended = remove_within(ctx, &mut tx, organization, name).await?;
    tx.commit().await?;
    crate::approvals::sweep_soon(ctx.app());
    Ok(ended)
}

/// The same as part of `tx`.
///
/// # Errors
/// As [`remove_policy`].
pub(crate) async fn remove_within(
    ctx: &RequestContext,
    tx: &mut Tx,
    organization: OrganizationTarget<'_>,
    name: &str,
) -> Result<u64> {
    let found = ctx.authorize(tx, organization, Action::OrganizationManagePolicies).await?;
    let id = found.organization.account.id;
    let _standing = begin_change(ctx, tx, id).await?;
    let policy = forge_store::delegation_policies::find(tx, id, name).await?.ok_or_else(Error::not_found)?;
    forge_store::delegation_policies::remove(tx, policy.id, ctx.now()).await?;
    let reason = "the policy it came by was removed";
    let ended: Vec<GrantId> =
        forge_store::grants::revoke(tx, Ended::ByPolicy(policy.id), reason, ctx.now()).await?;
    let event = event("delegation_policy.removed", &policy).with("ended", names(&ended));
    ctx.record(tx, event).await?;
    Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
}

/// Ends the tasks an account took by policies of groups that it is in no more: the account has just left one, or come into one.
///
/// # Errors
/// `Unavailable` if the database is.
pub(crate) async fn end_left(
    ctx: &RequestContext,
    tx: &mut Tx,
    organization: AccountId,
    account: AccountId,
) -> Result<()> {
    let places = forge_store::access_groups::list_places(tx, organization, &[account]).await?;
    for (policy, group) in forge_store::delegation_policies::list_of_agent(tx, organization, account).await? {
        if places.iter().any(|place| place.group_id == group) {
            continue;
        }
        let which = Ended::ByPolicyFor(policy, account);
        let reason = "the agent left the group whose policy it came by";
        let ended = forge_store::grants::revoke(tx, which, reason, ctx.now()).await?;
        if !ended.is_empty() {
            let event = Event::new("task_grant.revoked").organization(organization).subject(account);
            ctx.record(tx, event.with("ended", names(&ended)).with("reason", reason)).await?;
        }
    }
    Ok(())
}

/// What a task by a policy is made of, and by whom.
pub(super) struct Claim {
    pub(super) agent: AccountRef,
    pub(super) delegator: AccountRef,
    pub(super) policy: DelegationPolicy,
    pub(super) terms: GrantTerms,
    pub(super) expires_at: Timestamp,
}

/// Finds out whether the caller, an agent, may take this task by that policy. What is left out of the details is as the policy
/// has it.
pub(super) async fn claim(
    ctx: &RequestContext,
    tx: &mut Tx,
    details: &GrantDetails,
    (organization, name): (&str, &str),
) -> Result<Claim> {
    let refuse = |message: String| Error::invalid("TaskGrant", "delegator", FieldCode::Invalid, message);
    let unknown = || refuse(format!("there is no policy `{organization}/{name}` by which you take tasks"));
    let own = ctx.authorize(tx, OwnAccount, Action::TaskGrantClaim).await?;
    let agent = ctx.account()?.clone();
    // A policy is removed by whoever holds this alone, so it stands to the end of this transaction.
    ctx.app().policies.hold(tx).await?;
    let found = forge_store::accounts::find_by_login(tx, organization).await?;
    let found = found.filter(|account| account.kind == AccountKind::Organization).ok_or_else(unknown)?;
    let policy = forge_store::delegation_policies::find(tx, found.id, name).await?.ok_or_else(unknown)?;
    let places = forge_store::access_groups::list_places(tx, found.id, &[own.id]).await?;
    if !places.iter().any(|place: &AccessGroupPlace| place.group_id == policy.group_id) {
        return Err(unknown());
    }
    if forge_store::grants::count_live_by(tx, policy.id, own.id, ctx.now()).await? >= MOST_LIVE {
        let message = format!("{MOST_LIVE} tasks by this policy are open already: let one end, or revoke it");
        return Err(refuse(message));
    }
    let terms = terms(tx, details, &policy).await?;
    terms
        .within(&policy.terms)
        .map_err(|what| refuse(format!("this goes beyond policy {organization}/{name}: {what}")))?;
    let longest = Duration::from_secs(u64::try_from(policy.longest).unwrap_or_default());
    let latest = ctx.now().plus(longest);
    let (_, asked) = details.bounds()?;
    let expires_at = match asked {
        Some(asked) if asked <= ctx.now() || asked > latest => {
            let message = format!("by this policy a task ends within {} seconds", policy.longest);
            return Err(Error::invalid("TaskGrant", "expires_at", FieldCode::Invalid, message));
        }
        Some(asked) => asked,
        None => latest,
    };
    Ok(Claim { agent, delegator: AccountRef::from(&found), policy, terms, expires_at })
}

async fn terms(tx: &mut Tx, details: &GrantDetails, policy: &DelegationPolicy) -> Result<GrantTerms> {
    let mut terms = policy.terms.clone();
    if !details.resources.is_empty() {
        terms.resources = resources(tx, details, policy).await?;
    }
    if !details.actions.is_empty() {
        terms.actions = details.granted_actions()?;
    }
    if details.constraints.is_some() {
        let (asked, _) = details.bounds()?;
        terms.constraints = asked.or(&policy.terms.constraints);
    }
    Ok(terms)
}

/// Returns what is named, if all of it is the policy's. What there is beside that is not for the agent to know.
async fn resources(
    tx: &mut Tx,
    details: &GrantDetails,
    policy: &DelegationPolicy,
) -> Result<Vec<GrantResource>> {
    let mut found = Vec::new();
    for (named, written) in details.named_resources()?.into_iter().zip(&details.resources) {
        let resource = resolve::resource_of(tx, named, policy.organization_id).await?;
        let covered = resource.filter(|one| policy.terms.resources.iter().any(|wider| one.within(wider)));
        found.push(covered.ok_or_else(|| {
            let message = format!("the policy does not cover `{written}`");
            Error::invalid("TaskGrant", "resources", FieldCode::Invalid, message)
        })?);
    }
    Ok(found)
}

fn event(name: &'static str, policy: &DelegationPolicy) -> Event {
    let actions: Vec<&str> = policy.terms.actions.iter().map(|action| action.as_str()).collect();
    let resources: Vec<String> = policy.terms.resources.iter().map(ToString::to_string).collect();
    Event::new(name)
        .organization(policy.organization_id)
        .with("name", policy.name.as_str())
        .with("access_group", policy.group.as_str())
        .with("resources", resources)
        .with("actions", actions)
        .with("constraints", serde_json::json!(policy.terms.constraints))
        .with("max_lifetime", policy.longest)
}
