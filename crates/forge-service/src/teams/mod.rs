//! Teams: creating, reading and changing them, who is in them, and what they have access to.

mod members;
mod repositories;
mod target;

pub use forge_store::team_members::TeamMember;
pub use forge_store::team_repositories::{TeamAccess, TeamRepository};
pub use members::{list_members, membership, remove_member, set_membership};
pub use repositories::{
    find_repository, list_of_repository, list_repositories, remove_repository, set_repository,
};
pub use target::TeamTarget;

use forge_store::teams::NewTeam as NewRecord;
pub use forge_store::teams::TeamRecord;
use forge_types::name::slug;
use forge_types::organization::{Team, TeamPrivacy, TeamRole};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result};

use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::target::OwnAccount;

/// The longest name of a team.
const MAX_NAME: usize = 100;

/// What a new team is to be.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// The display name, from which the slug is made.
    pub name: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// Who may see it.
    pub privacy: TeamPrivacy,
    /// Logins of members of the organization who maintain it from the start.
    pub maintainers: Vec<String>,
}

/// Creates a team. Who creates it is its first maintainer.
///
/// # Errors
/// `Invalid` if the organization has a team of this slug, or a maintainer is no member.
pub async fn create(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    new: &NewTeam,
) -> Result<TeamRecord> {
    let slug = checked_slug(&new.name)?;
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::TeamCreate).await?;
    let organization = &found.organization.account;
    let record = NewRecord {
        organization_id: organization.id,
        organization_login: &organization.login,
        name: new.name.trim(),
        slug: &slug,
        description: new.description.as_deref(),
        privacy: new.privacy,
    };
    let team = unique(forge_store::teams::insert(&mut tx, &record, ctx.now()).await)?;
    let own = [ctx.account()?.login.clone()];
    for login in own.iter().chain(&new.maintainers) {
        members::insert(ctx, &mut tx, &team, login, TeamRole::Maintainer).await?;
    }
    let event = Event::new("team.created").organization(organization.id);
    ctx.record(&mut tx, event.with("team", team.slug.as_str())).await?;
    let created = forge_store::teams::find(&mut tx, ctx.account_id(), team.id).await?;
    tx.commit().await?;
    created.ok_or_else(Error::not_found)
}

fn unique<T>(result: forge_store::StoreResult<T>) -> Result<T> {
    match result {
        Err(error) if error.is_duplicate() => {
            let message = "Name must be unique for this org";
            Err(Error::invalid("Team", "name", FieldCode::AlreadyExists, message))
        }
        other => Ok(other?),
    }
}

fn checked_slug(name: &str) -> Result<String> {
    let slug = slug(name.trim());
    let is_too_long = name.chars().count() > MAX_NAME;
    if slug.is_empty() || is_too_long || name.chars().any(char::is_control) {
        let message = "name needs letters or digits, and at most 100 characters";
        return Err(Error::invalid("Team", "name", FieldCode::Invalid, message));
    }
    Ok(slug)
}

/// Returns a team, what the caller is in it, and what it counts.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not see it.
pub async fn find(ctx: &RequestContext, target: TeamTarget<'_>) -> Result<TeamRecord> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, target, Action::TeamRead).await
}

/// Returns the teams of an organization that the caller may see.
///
/// # Errors
/// `Forbidden` if the caller is no member.
pub async fn list(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    page: PageRequest,
) -> Result<Page<TeamRecord>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::OrganizationReadMembers).await?;
    let id = found.organization.account.id;
    Ok(forge_store::teams::list(&mut conn, ctx.account_id(), id, page).await?)
}

/// Returns the teams the caller is in.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list_own(ctx: &RequestContext, page: PageRequest) -> Result<Page<TeamRecord>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::AccountListTeams).await?;
    Ok(forge_store::teams::list_of_member(&mut conn, own.id, page).await?)
}

/// What is to be changed in a team; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct TeamChanges {
    /// The display name; the slug follows it.
    pub name: Option<String>,
    /// A sentence about it; empty removes it.
    pub description: Option<String>,
    /// Who may see it.
    pub privacy: Option<TeamPrivacy>,
}

/// Changes a team.
///
/// # Errors
/// `Invalid` if the organization has another team of the new slug.
pub async fn update(
    ctx: &RequestContext,
    target: TeamTarget<'_>,
    changes: &TeamChanges,
) -> Result<TeamRecord> {
    let mut tx = ctx.begin().await?;
    let mut found = ctx.authorize(&mut tx, target, Action::TeamUpdate).await?;
    let before = found.team.clone();
    apply(changes, &mut found.team)?;
    if found.team != before {
        found.team.updated_at = ctx.now();
        unique(forge_store::teams::update(&mut tx, &found.team).await)?;
        let event = Event::new("team.updated").organization(before.organization_id);
        let event = event.with("team", found.team.slug.as_str()).with("former_slug", before.slug);
        ctx.record(&mut tx, event.with("privacy", found.team.privacy.as_str())).await?;
    }
    tx.commit().await?;
    Ok(found)
}

fn apply(changes: &TeamChanges, team: &mut Team) -> Result<()> {
    if let Some(name) = &changes.name {
        team.slug = checked_slug(name)?;
        name.trim().clone_into(&mut team.name);
    }
    if let Some(description) = &changes.description {
        team.description = Some(description.trim().to_owned()).filter(|text| !text.is_empty());
    }
    team.privacy = changes.privacy.unwrap_or(team.privacy);
    Ok(())
}

/// Deletes a team; its access to repositories ends.
///
/// # Errors
/// What the decision says.
pub async fn delete(ctx: &RequestContext, target: TeamTarget<'_>) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, target, Action::TeamUpdate).await?;
    forge_store::teams::delete(&mut tx, found.team.id).await?;
    let event = Event::new("team.deleted").organization(found.team.organization_id);
    ctx.record(&mut tx, event.with("team", found.team.slug)).await?;
    Ok(tx.commit().await?)
}
