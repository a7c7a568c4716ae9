//! Changing a repository: its name, who sees it, its default branch, its settings, whether it is archived.

use forge_store::Tx;
use forge_store::accounts::Hold;
use forge_types::name::check_repository_name;
use forge_types::repository::{RepositoryAccess, Visibility};
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::settings::check_visibility;
use super::{SettingsChanges, name_taken};
use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// What is to be changed; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct RepositoryChanges {
    /// The name.
    pub name: Option<String>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
    /// The branch that `HEAD` names.
    pub default_branch: Option<String>,
    /// Whether it is archived.
    pub is_archived: Option<bool>,
    /// The settings.
    pub settings: SettingsChanges,
}

/// Changes a repository. What is asked for and already so changes nothing.
///
/// Descriptive settings take `maintain`; name, visibility, default branch and archiving take `admin`. An archived
/// repository can only be restored, alone or together with other changes.
///
/// # Errors
/// `Invalid` if the name is taken, the default branch does not exist, or anything breaks a rule.
pub async fn update(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    changes: &RepositoryChanges,
) -> Result<RepositoryAccess> {
    let mut tx = ctx.begin().await?;
    let first =
        if changes.is_archived.is_some() { Action::RepositoryAdminister } else { Action::RepositoryUpdate };
    let mut found = ctx.authorize(&mut tx, target, first).await?;
    let mut events = Vec::new();
    if changes.is_archived == Some(false) && found.repository.archived_at.take().is_some() {
        events.push(Event::new("repository.unarchived"));
    }
    rename(ctx, &mut tx, &mut found, changes, &mut events).await?;
    change_visibility(ctx, &mut tx, &mut found, changes, &mut events).await?;
    change_default_branch(ctx, &mut tx, &mut found, changes, &mut events).await?;
    let changed = changes.settings.apply(&mut found.repository.settings)?;
    if !changed.is_empty() {
        ctx.permit(&found, Action::RepositoryUpdate)?;
        events.push(Event::new("repository.updated").with("changed", changed));
    }
    if changes.is_archived == Some(true) && found.repository.archived_at.is_none() {
        found.repository.archived_at = Some(ctx.now());
        events.push(Event::new("repository.archived"));
    }
    if !events.is_empty() {
        found.repository.updated_at = ctx.now();
        forge_store::repositories::update(&mut tx, &found.repository).await?;
        for event in events {
            ctx.record(&mut tx, event.about(&found.repository)).await?;
        }
    }
    tx.commit().await?;
    Ok(found)
}

async fn rename(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &mut RepositoryAccess,
    changes: &RepositoryChanges,
    events: &mut Vec<Event>,
) -> Result<()> {
    let Some(name) = changes.name.as_ref().filter(|name| **name != found.repository.name) else {
        return Ok(());
    };
    ctx.permit(found, Action::RepositoryAdminister)?;
    check_repository_name(name)?;
    let from = found.repository.full_name();
    match forge_store::repositories::rename(tx, &found.repository, name, ctx.now()).await {
        Err(error) if error.is_duplicate() => return Err(name_taken("Validation Failed")),
        other => other?,
    }
    found.repository.name.clone_from(name);
    events.push(Event::new("repository.renamed").with("from", from).with("to", found.repository.full_name()));
    Ok(())
}

async fn change_visibility(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &mut RepositoryAccess,
    changes: &RepositoryChanges,
    events: &mut Vec<Event>,
) -> Result<()> {
    let Some(visibility) = changes.visibility.filter(|wanted| *wanted != found.repository.visibility) else {
        return Ok(());
    };
    ctx.permit(found, Action::RepositoryAdminister)?;
    check_visibility(found.repository.owner.kind, visibility)?;
    if found.repository.parent_id.is_some() {
        // Its objects are another repository's: who sees them was decided there.
        let message = "the visibility of a fork can't be changed";
        return Err(Error::invalid("Repository", "visibility", FieldCode::Unprocessable, message));
    }
    let id = found.repository.id;
    let held = forge_store::repositories::hold_descent(tx, id, Hold::Alone).await?;
    held.ok_or_else(Error::not_found)?;
    forge_store::repositories::release_forks(tx, id).await?;
    found.repository.fork_count = 0;
    let event = Event::new("repository.visibility_changed")
        .with("from", found.repository.visibility.as_str())
        .with("to", visibility.as_str());
    found.repository.visibility = visibility;
    // A token good only for public repositories must not publish one, nor lose sight of what it hides.
    ctx.permit(found, Action::RepositoryAdminister)?;
    events.push(event);
    Ok(())
}

async fn change_default_branch(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &mut RepositoryAccess,
    changes: &RepositoryChanges,
    events: &mut Vec<Event>,
) -> Result<()> {
    let unchanged = |branch: &&String| **branch != found.repository.default_branch;
    let Some(branch) = changes.default_branch.as_ref().filter(unchanged) else { return Ok(()) };
    ctx.permit(found, Action::RepositoryAdminister)?;
    let missing = || {
        let message = format!(
            "The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
        );
        Error::invalid("Repository", "default_branch", FieldCode::Invalid, message)
    };
    if !forge_store::repositories::has_branch(tx, found.repository.id, branch).await? {
        return Err(missing());
    }
    let event = Event::new("repository.default_branch_changed")
        .with("from", found.repository.default_branch.as_str())
        .with("to", branch.as_str());
    found.repository.default_branch.clone_from(branch);
    events.push(event);
    Ok(())
}
