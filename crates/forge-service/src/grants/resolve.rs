//! From names to ids: what a grant is about, and who delegates.

use forge_auth::grant::{NamedDelegator, NamedResource, Part};
use forge_store::Tx;
use forge_types::account::AccountRef;
use forge_types::grant::GrantResource;
use forge_types::id::AccountId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, FieldCode, Result, name};

use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::target::{RepositoryTarget, is_called};

/// Returns who delegates: the caller, or an organization the caller owns.
///
/// # Errors
/// `Invalid` for anybody else; what the decision says about the organization.
pub(super) async fn delegator(
    ctx: &RequestContext,
    tx: &mut Tx,
    named: &NamedDelegator,
) -> Result<AccountRef> {
    let caller = ctx.account()?;
    match named {
        NamedDelegator::Caller => Ok(caller.clone()),
        NamedDelegator::Account(login) if name::key(login) == name::key(&caller.login) => Ok(caller.clone()),
        NamedDelegator::Account(_) => {
            let message =
                "one delegates what one may do oneself: the delegator is the caller or an organization";
            Err(Error::invalid("TaskGrant", "delegator", FieldCode::Invalid, message))
        }
        NamedDelegator::Policy(..) => {
            let message = "a policy delegates to the agent that takes a task by it, and to nobody else";
            Err(Error::invalid("TaskGrant", "delegator", FieldCode::Invalid, message))
        }
        NamedDelegator::Organization(login) => {
            let target = OrganizationTarget::Login(login);
            let found = ctx.authorize(tx, target, Action::OrganizationAdminister).await?;
            Ok(AccountRef::from(&found.organization.account))
        }
    }
}

/// Returns what the names stand for. Each repository has to be one that the caller can read, and that belongs to the
/// organization if one delegates.
///
/// # Errors
/// `Invalid` for a name that stands for nothing here.
pub(super) async fn resources(
    ctx: &RequestContext,
    tx: &mut Tx,
    named: Vec<NamedResource>,
    only_of: Option<AccountId>,
) -> Result<Vec<GrantResource>> {
    let mut found = Vec::with_capacity(named.len());
    for one in named {
        let resource = resource(ctx, tx, one, only_of).await?;
        if !found.contains(&resource) {
            found.push(resource);
        }
    }
    Ok(found)
}

/// Returns what a name stands for among what is an organization's, whoever can read it; none if it stands for nothing there.
///
/// # Errors
/// Only faults of the database.
pub(super) async fn resource_of(
    tx: &mut Tx,
    named: NamedResource,
    organization: AccountId,
) -> Result<Option<GrantResource>> {
    let NamedResource { owner, name, part } = named;
    let found = forge_store::repositories::find_by_name(tx, Some(organization), &owner, &name).await?;
    let found = found.filter(|found| {
        is_called(&found.repository, &owner, &name) && found.repository.owner.id == organization
    });
    Ok(found.map(|found| part_of(&found, part)))
}

fn unknown(owner: &str, name: &str) -> Error {
    let message = format!("there is no repository `{owner}/{name}` that the delegator can read");
    Error::invalid("TaskGrant", "resources", FieldCode::Missing, message)
}

async fn resource(
    ctx: &RequestContext,
    tx: &mut Tx,
    named: NamedResource,
    only_of: Option<AccountId>,
) -> Result<GrantResource> {
    let NamedResource { owner, name, part } = named;
    let unknown = || unknown(&owner, &name);
    let target = RepositoryTarget::PresentName(&owner, &name);
    let found: RepositoryAccess = match ctx.authorize(tx, target, Action::RepositoryRead).await {
        Ok(found) => found,
        Err(error) if *error.kind() == ErrorKind::NotFound => return Err(unknown()),
        Err(error) => return Err(error),
    };
    if only_of.is_some_and(|organization| organization != found.repository.owner.id) {
        return Err(unknown());
    }
    Ok(part_of(&found, part))
}

fn part_of(found: &RepositoryAccess, part: Part) -> GrantResource {
    let (repository_id, name) = (found.repository.id, found.repository.full_name());
    match part {
        Part::Whole => GrantResource::Repo { repository_id, name },
        Part::Ref(ref_name) => GrantResource::Branch { repository_id, name, ref_name },
        Part::Issue(number) => GrantResource::Issue { repository_id, name, number },
        Part::Pull(number) => GrantResource::Pull { repository_id, name, number },
        Part::Secret(secret) => GrantResource::Secret { repository_id, name, secret },
        Part::Workflow(workflow) => GrantResource::Workflow { repository_id, name, workflow },
    }
}
