//! Who is in a group.

use forge_store::access_groups::AccessGroupMember;
use forge_types::account::{AccountKind, AccountRef, AccountStatus};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::existing;
use crate::context::RequestContext;
use crate::grants::end_left;
use crate::organizations::OrganizationTarget;
use crate::policies::begin_change;

/// Returns a page of those who were put into a group, by login.
///
/// # Errors
/// `NotFound` if there is no such group; what the decision says.
pub async fn list_members(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: &str,
    page: PageRequest,
) -> Result<Page<AccessGroupMember>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, organization, Action::OrganizationReadPolicies).await?;
    let group = existing(&mut conn, found.organization.account.id, name).await?;
    Ok(forge_store::access_groups::list_members(&mut conn, group.id, page).await?)
}

/// Puts a human or an agent into a group, whether it belongs to the organization or not. That it is there already is no error.
///
/// # Errors
/// `NotFound` if there is no such group; `Invalid` if there is no such account; what the decision says.
pub async fn add_member(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: &str,
    login: &str,
) -> Result<AccountRef> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let organization_id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, organization_id).await?;
    let group = existing(&mut tx, organization_id, name).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?;
    let account = account.filter(|account| {
        account.kind != AccountKind::Organization && account.status != AccountStatus::Deleted
    });
    let account = account.ok_or_else(|| {
        let message = format!("there is no human or agent `{login}`");
        Error::invalid("AccessGroup", "login", FieldCode::Missing, message)
    })?;
    let by = ctx.account()?.id;
    if forge_store::access_groups::add_member(&mut tx, group.id, account.id, by, ctx.now()).await? {
        let event = Event::new("access_group.member_added").organization(organization_id);
        ctx.record(&mut tx, event.subject(account.id).with("access_group", name)).await?;
        end_left(ctx, &mut tx, organization_id, account.id).await?;
        tx.commit().await?;
    }
    Ok(AccountRef::from(&account))
}

/// Takes somebody out of a group.
///
/// # Errors
/// `NotFound` if there is no such group or nobody of that login in it; what the decision says.
pub async fn remove_member(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: &str,
    login: &str,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let organization_id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, organization_id).await?;
    let group = existing(&mut tx, organization_id, name).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?.ok_or_else(Error::not_found)?;
    if !forge_store::access_groups::remove_member(&mut tx, group.id, account.id).await? {
        return Err(Error::not_found());
    }
    let event = Event::new("access_group.member_removed").organization(organization_id);
    ctx.record(&mut tx, event.subject(account.id).with("access_group", name)).await?;
    end_left(ctx, &mut tx, organization_id, account.id).await?;
    Ok(tx.commit().await?)
}
