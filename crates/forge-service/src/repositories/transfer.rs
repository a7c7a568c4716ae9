//! Giving a repository to another owner.

use forge_types::account::{AccountKind, AccountRef};
use forge_types::name::{check_repository_name, key};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, Event, FieldCode, Permission, Result};

use super::name_taken;
use super::settings::check_visibility;
use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::target::RepositoryTarget;

/// Gives a repository to `new_owner`, perhaps under another name; its present address leads there afterwards. Teams
/// lose their access, collaborators keep theirs.
///
/// The new owner is the caller or an organization the caller may create repositories in: nobody is given a repository
/// without having agreed.
///
/// # Errors
/// `Invalid` if nobody has that login or the name is taken there; `Forbidden` if the caller may not create there.
pub async fn transfer(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    new_owner: &str,
    new_name: Option<&str>,
) -> Result<RepositoryAccess> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::RepositoryTransfer).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, new_owner).await?.ok_or_else(|| {
        Error::invalid(
            "Repository",
            "new_owner",
            FieldCode::Invalid,
            "new_owner must be a user or organization",
        )
    })?;
    let (owner, caller) = (AccountRef::from(&account), ctx.account()?);
    if owner.kind == AccountKind::Organization {
        let place = OrganizationTarget::Id(owner.id);
        ctx.authorize(&mut tx, place, Action::OrganizationCreateRepository).await?;
    } else if owner.id != caller.id {
        return Err(Error::forbidden(
            "a repository can be given to oneself or to an organization one may create in",
        ));
    }
    check_visibility(owner.kind, found.repository.visibility)?;
    let name = new_name.unwrap_or(&found.repository.name).to_owned();
    check_repository_name(&name)?;
    if owner.id == found.repository.owner.id && key(&name) == key(&found.repository.name) {
        return Err(Error::invalid(
            "Repository",
            "new_owner",
            FieldCode::Invalid,
            "the repository is there already",
        ));
    }
    let now = ctx.now();
    match forge_store::repositories::transfer(&mut tx, &found.repository, &owner, &name, now).await {
        Err(error) if error.is_duplicate() => return Err(name_taken("Validation Failed")),
        other => other?,
    }
    if owner.kind == AccountKind::Organization {
        let id = found.repository.id;
        forge_store::collaborators::upsert(&mut tx, id, caller, Permission::Admin, caller.id, now).await?;
    }
    let event = Event::new("repository.transferred")
        .about(&found.repository)
        .subject(owner.id)
        .with("from", found.repository.full_name())
        .with("to", format!("{}/{name}", owner.login));
    ctx.record(&mut tx, event).await?;
    let moved = forge_store::repositories::find(&mut tx, Some(caller.id), found.repository.id).await?;
    tx.commit().await?;
    moved.ok_or_else(Error::not_found)
}
