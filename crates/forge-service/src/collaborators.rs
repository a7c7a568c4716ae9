//! Collaborators of repositories. Nobody is asked: whoever is added collaborates at once, so there are no pending
//! invitations. A person or agent without access can always leave again.

pub use forge_store::collaborators::{Collaborator, CollaboratorOrigin};
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::{RepositoryAccess, Visibility};
use forge_types::{Action, Error, Event, FieldCode, Permission, Result};

use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// Returns the accounts with access to a repository.
///
/// # Errors
/// What the decision says.
pub async fn list(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    origin: CollaboratorOrigin,
    permission: Option<Permission>,
    page: PageRequest,
) -> Result<Page<Collaborator>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CollaboratorRead).await?;
    let id = found.repository.id;
    Ok(forge_store::collaborators::list(&mut conn, id, origin, permission, page).await?)
}

/// Returns `login` and the permission it has in a repository, from wherever; that which everyone has counts.
///
/// # Errors
/// `NotFound` if nobody has that login; what the decision says.
pub async fn permission(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    login: &str,
) -> Result<(Account, Option<Permission>)> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CollaboratorRead).await?;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    let held = forge_store::collaborators::find(&mut conn, found.repository.id, account.id).await?;
    let for_everyone = (found.repository.visibility != Visibility::Private).then_some(Permission::Read);
    Ok((account, held.max(for_everyone)))
}

/// Returns whether `login` was given access to a repository, beyond what everyone has.
///
/// # Errors
/// `NotFound` if nobody has that login; what the decision says.
pub async fn is_collaborator(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    login: &str,
) -> Result<bool> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CollaboratorRead).await?;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    Ok(forge_store::collaborators::find(&mut conn, found.repository.id, account.id).await?.is_some())
}

/// Gives `login` a permission in a repository, in place of the one it was given before.
///
/// # Errors
/// `NotFound` if nobody has that login; `Invalid` for owners and organizations; what the decision says.
pub async fn add(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    login: &str,
    permission: Permission,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::CollaboratorManage).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?.ok_or_else(Error::not_found)?;
    check_can_collaborate(&account, &found)?;
    let (id, by) = (found.repository.id, ctx.account()?.id);
    let account = AccountRef::from(&account);
    let before = forge_store::collaborators::upsert(&mut tx, id, &account, permission, by, ctx.now()).await?;
    if before != Some(permission) {
        let event = Event::new("collaborator.set").repository(id).subject(account.id);
        let event = event.with("login", account.login).with("permission", permission.role_name());
        ctx.record(&mut tx, event.with("before", before.map(Permission::role_name))).await?;
    }
    Ok(tx.commit().await?)
}

fn check_can_collaborate(account: &Account, found: &RepositoryAccess) -> Result<()> {
    let invalid = |message: &str| Err(Error::invalid("Repository", "username", FieldCode::Invalid, message));
    match account.kind {
        AccountKind::Organization => invalid("an organization cannot be a collaborator"),
        AccountKind::Human | AccountKind::Agent if account.id == found.repository.owner.id => {
            invalid("Repository owner cannot be a collaborator")
        }
        AccountKind::Human | AccountKind::Agent => Ok(()),
    }
}

/// Takes away what `login` was given in a repository. Everyone may leave; administrators may remove others.
///
/// # Errors
/// `NotFound` if nobody has that login; what the decision says.
pub async fn remove(ctx: &RequestContext, target: RepositoryTarget<'_>, login: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::RepositoryRead).await?;
    let is_own = ctx.account()?.login.eq_ignore_ascii_case(login);
    let action = if is_own { Action::CollaboratorLeave } else { Action::CollaboratorManage };
    ctx.permit_change(&mut tx, &found, action).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?.ok_or_else(Error::not_found)?;
    delete(ctx, &mut tx, &found, account.id, &account.login).await?;
    Ok(tx.commit().await?)
}

async fn delete(
    ctx: &RequestContext,
    tx: &mut forge_store::Tx,
    found: &RepositoryAccess,
    account: AccountId,
    login: &str,
) -> Result<()> {
    let id = found.repository.id;
    if forge_store::collaborators::delete(tx, id, account).await? {
        let event = Event::new("collaborator.removed").repository(id).subject(account);
        ctx.record(tx, event.with("login", login)).await?;
    }
    Ok(())
}
