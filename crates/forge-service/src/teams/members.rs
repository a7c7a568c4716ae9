//! Who is in a team. Whoever joins becomes a member of the organization, which takes the right to add members there.

use forge_store::Tx;
use forge_store::team_members::TeamMember;
use forge_types::account::AccountRef;
use forge_types::organization::{Team, TeamRole};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::TeamTarget;
use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;

/// Returns the members of a team.
///
/// # Errors
/// `NotFound` if the team does not exist or the caller may not see it.
pub async fn list_members(
    ctx: &RequestContext,
    target: TeamTarget<'_>,
    role: Option<TeamRole>,
    page: PageRequest,
) -> Result<Page<TeamMember>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::TeamRead).await?;
    Ok(forge_store::team_members::list(&mut conn, found.team.id, role, page).await?)
}

/// Returns the membership of `login` in a team.
///
/// # Errors
/// `NotFound` if it is no member.
pub async fn membership(
    ctx: &RequestContext,
    target: TeamTarget<'_>,
    login: &str,
) -> Result<(Team, TeamMember)> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::TeamRead).await?;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    let member = forge_store::team_members::find(&mut conn, found.team.id, account.id).await?;
    Ok((found.team, member.ok_or_else(Error::not_found)?))
}

/// Makes `login` a member of a team, or gives a member another role. One who does not belong to the organization yet is
/// added to it too, if the caller may do that.
///
/// # Errors
/// `NotFound` if nobody has that login; `Forbidden` if it would have to be added to the organization and may not.
pub async fn set_membership(
    ctx: &RequestContext,
    target: TeamTarget<'_>,
    login: &str,
    role: TeamRole,
) -> Result<(Team, TeamMember)> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::TeamManageMembers).await?;
    let organization = found.team.organization_id;
    let present = forge_store::members::find_by_login(&mut tx, organization, login).await?;
    let (account, member) = present.ok_or_else(Error::not_found)?;
    if member.is_none() {
        let target = OrganizationTarget::Id(organization);
        ctx.authorize(&mut tx, target, Action::OrganizationManageMembers).await?;
        add_to_organization(ctx, &mut tx, &found.team, &AccountRef::from(&account)).await?;
    }
    forge_store::team_members::upsert(&mut tx, &found.team, account.id, role, ctx.now()).await?;
    let event = Event::new("team.member_set").organization(organization).subject(account.id);
    let event = event.with("team", found.team.slug.as_str()).with("login", account.login.as_str());
    ctx.record(&mut tx, event.with("role", role.as_str())).await?;
    let member = forge_store::team_members::find(&mut tx, found.team.id, account.id).await?;
    tx.commit().await?;
    Ok((found.team, member.ok_or_else(Error::not_found)?))
}

async fn add_to_organization(
    ctx: &RequestContext,
    tx: &mut Tx,
    team: &Team,
    account: &AccountRef,
) -> Result<()> {
    if account.kind == forge_types::AccountKind::Organization {
        let message = "an organization cannot be a member";
        return Err(Error::invalid("TeamMembership", "username", FieldCode::Invalid, message));
    }
    forge_store::members::insert_if_absent(tx, team.organization_id, account, ctx.now()).await?;
    let event =
        Event::new("organization.member_added").organization(team.organization_id).subject(account.id);
    ctx.record(tx, event.with("login", account.login.as_str()).with("role", "member")).await
}

/// Adds a member of the organization to a team that is being created.
pub(super) async fn insert(
    ctx: &RequestContext,
    tx: &mut Tx,
    team: &Team,
    login: &str,
    role: TeamRole,
) -> Result<()> {
    let present = forge_store::members::find_by_login(tx, team.organization_id, login).await?;
    let Some((account, Some(_))) = present else {
        let message = format!("`{login}` is not a member of the organization");
        return Err(Error::invalid("Team", "maintainers", FieldCode::Invalid, message));
    };
    forge_store::team_members::upsert(tx, team, account.id, role, ctx.now()).await?;
    Ok(())
}

/// Removes `login` from a team. Everyone may leave; owners and maintainers may remove others.
///
/// # Errors
/// `NotFound` if it is no member.
pub async fn remove_member(ctx: &RequestContext, target: TeamTarget<'_>, login: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::TeamRead).await?;
    let is_own = ctx.account()?.login.eq_ignore_ascii_case(login);
    let action = if is_own { Action::TeamLeave } else { Action::TeamManageMembers };
    ctx.permit_change(&mut tx, &found, action).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?.ok_or_else(Error::not_found)?;
    if !forge_store::team_members::delete(&mut tx, found.team.id, account.id).await? {
        return Err(Error::not_found());
    }
    let event =
        Event::new("team.member_removed").organization(found.team.organization_id).subject(account.id);
    ctx.record(&mut tx, event.with("team", found.team.slug).with("login", account.login)).await?;
    Ok(tx.commit().await?)
}
