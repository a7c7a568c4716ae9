//! Who belongs to an organization. An agent is never an owner, and the last owner stays: the database holds the first,
//! a lock on the organization the second.

use forge_store::Tx;
pub use forge_store::members::MemberFilter;
pub use forge_store::members::{Member, Membership};
use forge_store::organizations::OrganizationRecord;
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::id::AccountId;
use forge_types::organization::OrganizationRole;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::OrganizationTarget;
use crate::context::RequestContext;
use crate::target::OwnAccount;

/// Returns the members of an organization; those who are not members themselves see only who shows it publicly.
///
/// # Errors
/// `NotFound` if the organization does not exist.
pub async fn list_members(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    filter: MemberFilter,
    page: PageRequest,
) -> Result<Page<Member>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::OrganizationRead).await?;
    let only_public = filter.only_public || !ctx.may(&found, Action::OrganizationReadMembers);
    let filter = MemberFilter { only_public, ..filter };
    let id = found.organization.account.id;
    Ok(forge_store::members::list(&mut conn, id, filter, page).await?)
}

/// Returns the member `login` of an organization, if the caller may know of it: members see all, others those who show
/// it publicly, and everyone sees themselves.
///
/// # Errors
/// `NotFound` if there is no such member for the caller.
pub async fn member(ctx: &RequestContext, target: OrganizationTarget<'_>, login: &str) -> Result<Member> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::OrganizationRead).await?;
    let id = found.organization.account.id;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    let member = forge_store::members::find(&mut conn, id, account.id).await?.ok_or_else(Error::not_found)?;
    let is_known = member.is_public
        || ctx.account_id() == Some(account.id)
        || ctx.may(&found, Action::OrganizationReadMembers);
    is_known.then_some(member).ok_or_else(Error::not_found)
}

/// Returns the member with this id, for answers that mention one; `None` if it is none.
///
/// # Errors
/// What the decision says about seeing members.
pub async fn find_member(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    id: AccountId,
) -> Result<Option<Member>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::OrganizationReadMembers).await?;
    Ok(forge_store::members::find(&mut conn, found.organization.account.id, id).await?)
}

/// Returns the membership of `login`, with the organization.
///
/// # Errors
/// `NotFound` if it is no member; `Forbidden` if the caller is none.
pub async fn membership(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    login: &str,
) -> Result<(OrganizationRecord, Member)> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::OrganizationReadMembers).await?;
    let id = found.organization.account.id;
    let member =
        forge_store::members::find_by_login(&mut conn, id, login).await?.and_then(|(_, member)| member);
    Ok((found, member.ok_or_else(Error::not_found)?))
}

/// Makes `login` a member, or gives a member another role. Nobody is asked: the membership is active at once.
///
/// # Errors
/// `NotFound` if nobody has that login; `Invalid` if an agent is to be an owner or the last owner to be none.
pub async fn set_membership(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    login: &str,
    role: OrganizationRole,
) -> Result<(OrganizationRecord, Member)> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::OrganizationManageMembers).await?;
    let id = found.organization.account.id;
    let present = forge_store::members::find_by_login(&mut tx, id, login).await?;
    let (account, member) = present.ok_or_else(Error::not_found)?;
    check_role(&account, role)?;
    let before = member.map(|member| member.role);
    if before == Some(OrganizationRole::Admin) && role != OrganizationRole::Admin {
        keep_last_owner(&mut tx, id).await?;
    }
    forge_store::members::upsert(&mut tx, id, &AccountRef::from(&account), role, ctx.now()).await?;
    if before != Some(role) {
        let name = if before.is_none() { "organization.member_added" } else { "organization.member_changed" };
        let event = Event::new(name).organization(id).subject(account.id);
        ctx.record(&mut tx, event.with("login", account.login).with("role", role.as_str())).await?;
    }
    let member = forge_store::members::find(&mut tx, id, account.id).await?.ok_or_else(Error::not_found)?;
    tx.commit().await?;
    Ok((found, member))
}

fn check_role(account: &Account, role: OrganizationRole) -> Result<()> {
    let invalid =
        |message: &str| Err(Error::invalid("OrganizationMembership", "role", FieldCode::Invalid, message));
    match (account.kind, role) {
        (AccountKind::Organization, _) => invalid("an organization cannot be a member"),
        (AccountKind::Agent, OrganizationRole::Admin) => invalid("an agent cannot own an organization"),
        (AccountKind::Agent, OrganizationRole::Member) | (AccountKind::Human, _) => Ok(()),
    }
}

/// Refuses to take an owner away if there is no other. The lock makes two who leave at once wait for one another.
async fn keep_last_owner(tx: &mut Tx, organization: AccountId) -> Result<()> {
    forge_store::members::lock(tx, organization).await?;
    if forge_store::members::count_owners(tx, organization).await? > 1 {
        return Ok(());
    }
    Err(Error::forbidden("the last owner of an organization has to stay"))
}

/// Removes `login` from an organization and its teams. Everyone may leave; owners may remove others.
///
/// # Errors
/// `NotFound` if it is no member; `Forbidden` if it is the last owner.
pub async fn remove_member(ctx: &RequestContext, target: OrganizationTarget<'_>, login: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::OrganizationRead).await?;
    let id = found.organization.account.id;
    let is_own = ctx.account()?.login.eq_ignore_ascii_case(login);
    let action =
        if is_own { Action::OrganizationManageOwnMembership } else { Action::OrganizationManageMembers };
    ctx.permit_change(&mut tx, &found, action).await?;
    let present = forge_store::members::find_by_login(&mut tx, id, login).await?;
    let Some((account, Some(member))) = present else { return Err(Error::not_found()) };
    if member.role == OrganizationRole::Admin {
        keep_last_owner(&mut tx, id).await?;
    }
    forge_store::members::delete(&mut tx, id, account.id).await?;
    crate::grants::end_left(ctx, &mut tx, id, account.id).await?;
    let event = Event::new("organization.member_removed").organization(id).subject(account.id);
    ctx.record(&mut tx, event.with("login", account.login)).await?;
    Ok(tx.commit().await?)
}

/// Shows the caller's own membership to everyone, or hides it.
///
/// # Errors
/// `NotFound` if `login` is no member; `Forbidden` if it is not the caller.
pub async fn publicise(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    login: &str,
    is_public: bool,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::OrganizationReadMembers).await?;
    let account = ctx.account()?;
    if !account.login.eq_ignore_ascii_case(login) {
        return Err(Error::forbidden("only a member can show or hide its own membership"));
    }
    ctx.permit_change(&mut tx, &found, Action::OrganizationManageOwnMembership).await?;
    let id = found.organization.account.id;
    forge_store::members::update_publicity(&mut tx, id, account.id, is_public).await?;
    let event = Event::new("organization.membership_shown").organization(id).with("is_public", is_public);
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}

/// The caller's own membership of one organization.
#[derive(Clone, Debug)]
pub struct OwnMembership {
    /// The organization.
    pub organization: OrganizationRecord,
    /// What the caller is in it.
    pub role: OrganizationRole,
}

/// Returns the caller's own membership of one organization.
///
/// # Errors
/// `NotFound` if the caller is no member.
pub async fn own_membership(ctx: &RequestContext, target: OrganizationTarget<'_>) -> Result<OwnMembership> {
    ctx.account()?;
    let mut conn = ctx.read().await?;
    let organization = ctx.authorize(&mut conn, target, Action::OrganizationRead).await?;
    let role = organization.role.ok_or_else(Error::not_found)?;
    ctx.permit(&organization, Action::OrganizationReadMembers)?;
    Ok(OwnMembership { organization, role })
}

/// Returns the caller's own memberships.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn own_memberships(ctx: &RequestContext, page: PageRequest) -> Result<Page<Membership>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::AccountListOwn).await?;
    Ok(forge_store::members::list_memberships(&mut conn, own.id, page).await?)
}
