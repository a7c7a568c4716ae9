//! What teams have access to. Giving it takes the right to manage the team's repositories and to administer the
//! repository itself.

use forge_store::team_repositories::{TeamAccess, TeamRepository};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Permission, Result};

use super::TeamTarget;
use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// Returns the repositories a team has access to and the caller may read.
///
/// # Errors
/// `NotFound` if the team does not exist or the caller may not see it.
pub async fn list_repositories(
    ctx: &RequestContext,
    target: TeamTarget<'_>,
    page: PageRequest,
) -> Result<Page<TeamRepository>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::TeamRead).await?;
    let visible = ctx.visible_to();
    Ok(forge_store::team_repositories::list(&mut conn, visible, found.team.id, page).await?)
}

/// Returns a repository and what a team may do there.
///
/// # Errors
/// `NotFound` if the team has no access to it, or the caller may not see one of them.
pub async fn find_repository(
    ctx: &RequestContext,
    team: TeamTarget<'_>,
    repository: RepositoryTarget<'_>,
) -> Result<TeamRepository> {
    let mut conn = ctx.read().await?;
    let team = ctx.authorize(&mut conn, team, Action::TeamRead).await?;
    let access = ctx.authorize(&mut conn, repository, Action::RepositoryRead).await?;
    let id = access.repository.id;
    let permission = forge_store::team_repositories::find(&mut conn, team.team.id, id).await?;
    Ok(TeamRepository { access, permission: permission.ok_or_else(Error::not_found)? })
}

/// Gives a team a permission in a repository of its organization.
///
/// # Errors
/// `Invalid` if the repository belongs to someone else; what the decisions say.
pub async fn set_repository(
    ctx: &RequestContext,
    team: TeamTarget<'_>,
    repository: RepositoryTarget<'_>,
    permission: Permission,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let team = ctx.authorize(&mut tx, team, Action::TeamManageRepositories).await?.team;
    let access = ctx.authorize(&mut tx, repository, Action::RepositoryAdminister).await?;
    let id = access.repository.id;
    if !forge_store::team_repositories::upsert(&mut tx, team.id, id, permission, ctx.now()).await? {
        let message = "the repository does not belong to the team's organization";
        return Err(Error::invalid("TeamMember", "repository", FieldCode::Invalid, message));
    }
    let event = Event::new("team.repository_set").repository(id).organization(team.organization_id);
    let event = event.with("team", team.slug).with("permission", permission.role_name());
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}

/// Takes a team's access to a repository away.
///
/// # Errors
/// `NotFound` if it had none; what the decisions say.
pub async fn remove_repository(
    ctx: &RequestContext,
    team: TeamTarget<'_>,
    repository: RepositoryTarget<'_>,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let team = ctx.authorize(&mut tx, team, Action::TeamManageRepositories).await?.team;
    let access = ctx.authorize(&mut tx, repository, Action::RepositoryAdminister).await?;
    let id = access.repository.id;
    if !forge_store::team_repositories::delete(&mut tx, team.id, id).await? {
        return Err(Error::not_found());
    }
    let event = Event::new("team.repository_removed").repository(id).organization(team.organization_id);
    ctx.record(&mut tx, event.with("team", team.slug)).await?;
    Ok(tx.commit().await?)
}

/// Returns the teams with access to a repository.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn list_of_repository(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    page: PageRequest,
) -> Result<Page<TeamAccess>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CollaboratorRead).await?;
    Ok(forge_store::team_repositories::list_of_repository(&mut conn, found.repository.id, page).await?)
}
