//! Making, changing and deleting a group. Whoever does waits for the ref changes under way, as for those of a policy.

use forge_types::access_group::AccessGroup;
use forge_types::agent::StandingAccess;
use forge_types::ceiling::Ceiling;
use forge_types::name::check_slug;
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::existing;
use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::policies::begin_change;

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 500;

/// So many groups an organization has at most.
const MOST_GROUPS: i64 = 200;

/// A group as it is asked for.
#[derive(Clone, Debug)]
pub struct NewAccessGroup {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// What those in it have at most.
    pub ceiling: Ceiling,
    /// What the standing tokens of agents in it may do at most.
    pub standing_access: StandingAccess,
}

/// What to change of a group; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct AccessGroupChanges {
    /// A sentence about it; `Some(None)` empties it.
    pub description: Option<Option<String>>,
    /// What those in it have at most.
    pub ceiling: Option<Ceiling>,
    /// What the standing tokens of agents in it may do at most.
    pub standing_access: Option<StandingAccess>,
}

/// Makes a group that nobody is in.
///
/// # Errors
/// `Invalid` for a field or if there are 200; what the decision says.
pub async fn create(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    new: &NewAccessGroup,
) -> Result<AccessGroup> {
    check_slug("AccessGroup", &new.name)?;
    check_description(new.description.as_deref())?;
    check_standing_access(new.standing_access)?;
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let organization_id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, organization_id).await?;
    if forge_store::access_groups::find(&mut tx, organization_id, &new.name).await?.is_some() {
        let message = format!("the organization has an access group `{}` already", new.name);
        return Err(Error::invalid("AccessGroup", "name", FieldCode::AlreadyExists, message));
    }
    if forge_store::access_groups::count(&mut tx, organization_id).await? >= MOST_GROUPS {
        let message = format!("an organization has at most {MOST_GROUPS} access groups");
        return Err(Error::invalid("AccessGroup", "name", FieldCode::Invalid, message));
    }
    let stored = forge_store::access_groups::NewAccessGroup {
        organization_id,
        name: &new.name,
        description: new.description.as_deref(),
        ceiling: &new.ceiling,
        standing_access: new.standing_access,
    };
    let made = forge_store::access_groups::insert(&mut tx, &stored, ctx.now()).await?;
    ctx.record(&mut tx, event("access_group.created", &made)).await?;
    tx.commit().await?;
    Ok(made)
}

/// Changes what a group bounds.
///
/// # Errors
/// `NotFound` if there is none of that name; `Invalid` for a field; what the decision says.
pub async fn update(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: &str,
    changes: AccessGroupChanges,
) -> Result<AccessGroup> {
    check_description(changes.description.as_ref().and_then(Option::as_deref))?;
    changes.standing_access.map_or(Ok(()), check_standing_access)?;
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let organization_id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, organization_id).await?;
    let before = existing(&mut tx, organization_id, name).await?;
    let changed = AccessGroup {
        description: changes.description.unwrap_or_else(|| before.description.clone()),
        ceiling: changes.ceiling.unwrap_or_else(|| before.ceiling.clone()),
        standing_access: changes.standing_access.unwrap_or(before.standing_access),
        updated_at: ctx.now(),
        ..before
    };
    forge_store::access_groups::update(&mut tx, &changed).await?;
    ctx.record(&mut tx, event("access_group.updated", &changed)).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Deletes a group. Whoever was in it alone is in `members` or `default` from then on.
///
/// # Errors
/// `NotFound` if there is none of that name; `Invalid` for the two that every organization has; what the decision says.
pub async fn delete(ctx: &RequestContext, organization: OrganizationTarget<'_>, name: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, organization, Action::OrganizationManagePolicies).await?;
    let organization_id = found.organization.account.id;
    let _standing = begin_change(ctx, &mut tx, organization_id).await?;
    let group = existing(&mut tx, organization_id, name).await?;
    if group.is_built_in() {
        let message = format!("`{name}` is for everybody who is in no other group; it cannot be deleted");
        return Err(Error::invalid("AccessGroup", "name", FieldCode::Invalid, message));
    }
    let policies = forge_store::delegation_policies::list_names_of_group(&mut tx, group.id).await?;
    if !policies.is_empty() {
        let message = format!("agents of it take tasks by {}; remove that first", policies.join(", "));
        return Err(Error::invalid("AccessGroup", "name", FieldCode::Invalid, message));
    }
    let members = forge_store::access_groups::delete(&mut tx, group.id).await?;
    ctx.record(&mut tx, event("access_group.deleted", &group).with("members", members)).await?;
    Ok(tx.commit().await?)
}

fn event(name: &'static str, group: &AccessGroup) -> Event {
    Event::new(name)
        .organization(group.organization_id)
        .with("access_group", group.name.as_str())
        .with("ceiling", group.ceiling.words())
        .with("standing_access", group.standing_access.as_str())
}

fn check_description(description: Option<&str>) -> Result<()> {
    let is_short =
        |text: &str| text.chars().count() <= LONGEST_DESCRIPTION && !text.chars().any(char::is_control);
    if description.is_none_or(is_short) {
        return Ok(());
    }
    let message = "description must be one line of at most 500 characters";
    Err(Error::invalid("AccessGroup", "description", FieldCode::Invalid, message))
}

/// A group binds changes alone, so it cannot keep a standing token from reading.
fn check_standing_access(access: StandingAccess) -> Result<()> {
    if access != StandingAccess::ExchangeOnly {
        return Ok(());
    }
    let message = "standing_access of an access group is full or read; exchange_only is set per agent";
    Err(Error::invalid("AccessGroup", "standing_access", FieldCode::Invalid, message))
}
