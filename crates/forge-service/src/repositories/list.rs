//! Lists of repositories; each holds exactly what the caller may read.

use forge_store::repositories::ListedOwner;
use forge_types::account::AccountKind;
use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::{Affiliations, RepositoryFilter, RepositoryOrder};
use forge_types::{Action, Error, Result};

use crate::context::RequestContext;
use crate::target::OwnAccount;

/// Returns the repositories the caller has a permission in.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list_own(
    ctx: &RequestContext,
    affiliations: Affiliations,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> Result<Page<RepositoryAccess>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::AccountListOwn).await?;
    let visible = ctx.visible_to();
    let found = forge_store::repositories::list_by_affiliation(
        &mut conn,
        visible,
        own.id,
        affiliations,
        filter,
        order,
        page,
    );
    Ok(found.await?)
}

/// Returns the repositories of a human or agent that the caller may read.
///
/// # Errors
/// `NotFound` if no human or agent has this login.
pub async fn list_of_user(
    ctx: &RequestContext,
    login: &str,
    affiliations: Affiliations,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> Result<Page<RepositoryAccess>> {
    if affiliations == Affiliations::OWNER {
        return list_of_owner(ctx, login, filter, order, page).await;
    }
    let mut conn = ctx.read().await?;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    let visible = ctx.visible_to();
    let found = if account.kind == AccountKind::Organization {
        let owner = ListedOwner::Id(account.id);
        forge_store::repositories::list_by_owner(&mut conn, visible, owner, filter, order, page).await?
    } else {
        forge_store::repositories::list_by_affiliation(
            &mut conn,
            visible,
            account.id,
            affiliations,
            filter,
            order,
            page,
        )
        .await?
    };
    Ok(found)
}

/// Returns the repositories of the account `login`, whatever its kind, that the caller may read.
///
/// # Errors
/// `NotFound` if nobody has that login.
pub async fn list_of_owner(
    ctx: &RequestContext,
    login: &str,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> Result<Page<RepositoryAccess>> {
    let mut conn = ctx.read().await?;
    let (visible, owner) = (ctx.visible_to(), ListedOwner::Login(login));
    let found =
        forge_store::repositories::list_by_owner(&mut conn, visible, owner, filter, order, page).await?;
    // An empty list may be that of nobody.
    if found.items.is_empty() && forge_store::accounts::find_by_login(&mut conn, login).await?.is_none() {
        return Err(Error::not_found());
    }
    Ok(found)
}

/// Returns the repositories that the account `id` is connected with and the caller may read.
///
/// # Errors
/// Only faults of the forge.
pub async fn list_of_account(
    ctx: &RequestContext,
    id: AccountId,
    affiliations: Affiliations,
    filter: &RepositoryFilter,
    order: RepositoryOrder,
    page: PageRequest,
) -> Result<Page<RepositoryAccess>> {
    let mut conn = ctx.read().await?;
    let visible = ctx.visible_to();
    let found = if affiliations == Affiliations::OWNER {
        let owner = ListedOwner::Id(id);
        forge_store::repositories::list_by_owner(&mut conn, visible, owner, filter, order, page).await?
    } else {
        forge_store::repositories::list_by_affiliation(
            &mut conn,
            visible,
            id,
            affiliations,
            filter,
            order,
            page,
        )
        .await?
    };
    Ok(found)
}
