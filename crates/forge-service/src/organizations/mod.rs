//! Organizations: creating, reading and changing them, and who belongs to them.

mod members;
mod target;

pub use members::{
    Member, MemberFilter, Membership, OwnMembership, find_member, list_members, member, membership,
    own_membership, own_memberships, publicise, remove_member, set_membership,
};
pub use target::OrganizationTarget;

use forge_store::accounts::NewAccount;
pub use forge_store::organizations::OrganizationRecord;
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::id::AccountId;
use forge_types::name::check_login;
use forge_types::organization::{Organization, OrganizationRole};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Permission, Result};

use crate::context::RequestContext;
use crate::target::{OwnAccount, Site};

/// What a new organization is to be.
#[derive(Clone, Debug, Default)]
pub struct NewOrganization {
    /// Its login.
    pub login: String,
    /// Its display name.
    pub name: Option<String>,
    /// Its address.
    pub email: Option<String>,
    /// A sentence about it.
    pub description: Option<String>,
}

/// Creates an organization that the caller owns.
///
/// # Errors
/// `Invalid` if the login is taken or breaks a rule; `Forbidden` for agents.
pub async fn create(ctx: &RequestContext, new: &NewOrganization) -> Result<OrganizationRecord> {
    check_login(&new.login)?;
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, OwnAccount, Action::OrganizationCreate).await?;
    let id = insert(ctx, &mut tx, new, ctx.account()?).await?;
    tx.commit().await?;
    find(ctx, OrganizationTarget::Id(id)).await
}

/// Creates an organization that `owner`, a human, owns. For site administrators.
///
/// # Errors
/// `Invalid` if the login is taken or breaks a rule or `owner` is no human.
pub async fn create_for(
    ctx: &RequestContext,
    new: &NewOrganization,
    owner: &str,
) -> Result<OrganizationRecord> {
    check_login(&new.login)?;
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, owner).await?;
    let human = account.filter(|account| account.kind == AccountKind::Human);
    let human = human.ok_or_else(|| {
        Error::invalid("Organization", "admin", FieldCode::Invalid, "admin must be the login of a person")
    })?;
    let id = insert(ctx, &mut tx, new, &AccountRef::from(&human)).await?;
    tx.commit().await?;
    find(ctx, OrganizationTarget::Id(id)).await
}

async fn insert(
    ctx: &RequestContext,
    tx: &mut forge_store::Tx,
    new: &NewOrganization,
    owner: &AccountRef,
) -> Result<AccountId> {
    let account = NewAccount {
        kind: AccountKind::Organization,
        login: &new.login,
        name: new.name.as_deref(),
        email: new.email.as_deref(),
        description: new.description.as_deref(),
        is_site_admin: false,
        created_by: ctx.account_id(),
    };
    let account = match forge_store::accounts::insert(tx, &account, ctx.now()).await {
        Err(error) if error.is_duplicate() => {
            let message = "login is already taken";
            return Err(Error::invalid("Organization", "login", FieldCode::AlreadyExists, message));
        }
        other => other?,
    };
    // New organizations let their members read everything, as GitHub's do.
    forge_store::organizations::insert(tx, account.id, Some(Permission::Read), true, ctx.now()).await?;
    forge_store::members::upsert(tx, account.id, owner, OrganizationRole::Admin, ctx.now()).await?;
    let event = Event::new("organization.created").organization(account.id).subject(owner.id);
    ctx.record(tx, event.with("login", account.login.as_str()).with("owner", owner.login.as_str())).await?;
    Ok(account.id)
}

/// Returns an organization, what the caller is in it, and what its profile counts.
///
/// # Errors
/// `NotFound` if it does not exist.
pub async fn find(ctx: &RequestContext, target: OrganizationTarget<'_>) -> Result<OrganizationRecord> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, target, Action::OrganizationRead).await
}

/// Returns whether the caller may see the settings of an organization that only its owners see.
#[must_use]
pub fn may_administer(ctx: &RequestContext, found: &OrganizationRecord) -> bool {
    ctx.may(found, Action::OrganizationAdminister)
}

/// What is to be changed in an organization; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChanges {
    /// The display name; empty removes it.
    pub name: Option<String>,
    /// The address; empty removes it.
    pub email: Option<String>,
    /// A sentence about it; empty removes it.
    pub description: Option<String>,
    /// What members may do in every repository; `Some(None)` is nothing.
    pub default_permission: Option<Option<Permission>>,
    /// Whether members who are not owners may create repositories.
    pub members_can_create_repositories: Option<bool>,
}

/// Changes an organization.
///
/// # Errors
/// What the decision says.
pub async fn update(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    changes: &OrganizationChanges,
) -> Result<OrganizationRecord> {
    let mut tx = ctx.begin().await?;
    let mut found = ctx.authorize(&mut tx, target, Action::OrganizationAdminister).await?;
    let before = found.organization.clone();
    apply(changes, &mut found.organization);
    if found.organization != before {
        found.organization.account.updated_at = ctx.now();
        forge_store::accounts::update_profile(&mut tx, &found.organization.account).await?;
        forge_store::organizations::update(&mut tx, &found.organization).await?;
        let event = Event::new("organization.updated")
            .organization(before.account.id)
            .with("default_permission", found.organization.default_permission.map(Permission::role_name))
            .with("members_can_create_repositories", found.organization.members_can_create_repositories);
        ctx.record(&mut tx, event).await?;
    }
    tx.commit().await?;
    Ok(found)
}

fn apply(changes: &OrganizationChanges, organization: &mut Organization) {
    let Account { name, email, description, .. } = &mut organization.account;
    for (wanted, field) in
        [(&changes.name, name), (&changes.email, email), (&changes.description, description)]
    {
        if let Some(text) = wanted {
            *field = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        }
    }
    if let Some(permission) = changes.default_permission {
        organization.default_permission = permission;
    }
    if let Some(may) = changes.members_can_create_repositories {
        organization.members_can_create_repositories = may;
    }
}

/// Returns all organizations after `since`, by id.
///
/// # Errors
/// Only faults of the forge.
pub async fn list(ctx: &RequestContext, since: AccountId, limit: u32) -> Result<Vec<Organization>> {
    let mut conn = ctx.read().await?;
    Ok(forge_store::organizations::list(&mut conn, since, i64::from(limit)).await?)
}

/// Returns the organizations the caller belongs to.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list_own(ctx: &RequestContext, page: PageRequest) -> Result<Page<Organization>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::AccountListOwn).await?;
    Ok(forge_store::organizations::list_of_member(&mut conn, own.id, false, page).await?)
}

/// Returns the organizations that `login` shows it belongs to; one's own list is whole.
///
/// # Errors
/// `NotFound` if nobody has that login.
pub async fn list_of_user(
    ctx: &RequestContext,
    login: &str,
    page: PageRequest,
) -> Result<Page<Organization>> {
    let mut conn = ctx.read().await?;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    let only_public = ctx.account_id() != Some(account.id);
    Ok(forge_store::organizations::list_of_member(&mut conn, account.id, only_public, page).await?)
}
