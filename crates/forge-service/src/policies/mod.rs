//! Policies: those of organizations, as their owners add and remove them, and those of the forge, read from files.
//!
//! [`forge_auth::policy::cedar`] says what a policy is; `active` holds those that are in force; `decisions` keeps what was
//! decided, so that [`dry_run`] can tell what others would have said.

mod active;
mod decisions;
mod dry_run;
mod instance;

pub(crate) use active::Active;
pub(crate) use decisions::{Made, RECENT, keep_allowed, keep_refused};
pub use dry_run::{Change, DryRun, Verdict, dry_run};
pub use instance::{explained, list_instance, load, reload};

pub use forge_auth::policy::cedar::{Facts, Outcome, PolicyFault, PolicySource, ResourceFacts, Rule};

use forge_auth::policy::cedar::PolicySet;
use forge_store::Tx;
pub use forge_store::policies::StoredPolicy;
use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, FieldError, Result};

use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::standing::Standing;

/// Where policies are tried, below those that have names.
const TRIAL: &str = "dry-run";

/// A policy with what was read from it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What is stored.
    pub stored: StoredPolicy,
    /// What it is called in refusals and what it asks for.
    pub rule: Rule,
}

/// Returns a page of the policies of an organization, by name.
///
/// # Errors
/// What the decision says.
pub async fn list(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    page: PageRequest,
) -> Result<Page<Policy>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, organization, Action::OrganizationReadPolicies).await?;
    let (id, login) = (found.organization.account.id, found.organization.account.login);
    let stored = forge_store::policies::list_page(&mut conn, id, page).await?;
    Ok(stored.map(|stored| read_again(&login, stored)))
}

/// A stored policy was valid when it was added. What a later version of the schema does not know is shown all the same.
fn read_again(login: &str, stored: StoredPolicy) -> Policy {
    let set = PolicySet::of_organization(login, &[source(&stored.name, &stored.text)]);
    let rule = set.ok().and_then(|set| set.rules().next().cloned());
    let name = format!("policy:{login}/{}", stored.name);
    let rule = rule.unwrap_or(Rule { name, outcome: None, reason: None, message: None });
    Policy { stored, rule }
}

/// Adds a policy to an organization. Once this returns, no ref moves against it, on no node.
///
/// # Errors
/// `Invalid`, in the validator's words, unless the policy is valid beside the others; what the decision says.
pub async fn create(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    new: &PolicySource,
) -> Result<Policy> {
    if new.name == TRIAL {
        let message = "a policy cannot be called `dry-run`: that is where policies are tried";
        return Err(Error::invalid("Policy", "name", FieldCode::Invalid, message));
    }
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let (id, login) = (found.organization.account.id, found.organization.account.login);
    let _standing = begin_change(ctx, &mut tx, id).await?;
    let mut sources = sources(&mut tx, id).await?;
    if sources.iter().any(|source| source.name == new.name) {
        let message = format!("the organization has a policy `{}` already", new.name);
        return Err(Error::invalid("Policy", "name", FieldCode::AlreadyExists, message));
    }
    sources.push(new.clone());
    PolicySet::of_organization(&login, &sources).map_err(invalid)?;
    let maker = ctx.account()?;
    forge_store::policies::insert(&mut tx, id, (&new.name, &new.text), maker.id, ctx.now()).await?;
    let event = Event::new("policy.added").organization(id).with("name", new.name.as_str());
    ctx.record(&mut tx, event.with("policy", new.text.as_str())).await?;
    tx.commit().await?;
    let stored = StoredPolicy {
        name: new.name.clone(),
        text: new.text.clone(),
        created_by: maker.clone(),
        created_at: ctx.now(),
    };
    Ok(read_again(&login, stored))
}

/// Removes a policy of an organization.
///
/// # Errors
/// `NotFound` if there is none of that name; what the decision says.
pub async fn delete(ctx: &RequestContext, organization: OrganizationTarget<'_>, name: &str) -> Result<()> {
    remove(ctx, organization, Some(name)).await
}

/// Removes all policies of an organization. That there are none is no error.
///
/// # Errors
/// What the decision says.
pub async fn delete_all(ctx: &RequestContext, organization: OrganizationTarget<'_>) -> Result<()> {
    remove(ctx, organization, None).await
}

async fn remove(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: Option<&str>,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, id).await?;
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => sources(&mut tx, id).await?.into_iter().map(|source| source.name).collect(),
    };
    for name in names {
        if !forge_store::policies::delete(&mut tx, id, &name).await? {
            return Err(Error::not_found());
        }
        let event = Event::new("policy.removed").organization(id).with("name", name.as_str());
        ctx.record(&mut tx, event).await?;
    }
    Ok(tx.commit().await?)
}

/// Waits for the ref changes under way, then asks again whether the caller may act. In this order: ref changes hold the
/// policies first and accounts after that.
pub(crate) async fn begin_change(
    ctx: &RequestContext,
    tx: &mut Tx,
    organization: AccountId,
) -> Result<Standing> {
    forge_store::policies::count_change(tx, organization).await?;
    Standing::of_caller(ctx, tx, &[]).await
}

async fn sources(conn: &mut forge_store::Conn, organization: AccountId) -> Result<Vec<PolicySource>> {
    let stored = forge_store::policies::list(conn, organization).await?;
    Ok(stored.into_iter().map(|policy| source(&policy.name, &policy.text)).collect())
}

fn source(name: &str, text: &str) -> PolicySource {
    PolicySource { name: name.to_owned(), text: text.to_owned() }
}

/// Says what is wrong with a policy, one entry for each thing.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn invalid(fault: PolicyFault) -> Error {
    let field = |reason: String| FieldError {
        resource: "Policy",
        field: "policy",
        code: FieldCode::Invalid,
        message: Some(format!("policy `{}`: {reason}", fault.name)),
    };
    Error::invalid_fields(fault.reasons.iter().cloned().map(field).collect())
}
