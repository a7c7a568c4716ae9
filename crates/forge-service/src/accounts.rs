//! Accounts as their owners and as everyone else sees them.

pub use forge_store::accounts::Profile;
use forge_types::account::Account;
use forge_types::id::AccountId;
use forge_types::{Action, Error, Event, FieldCode, Result};

use crate::context::RequestContext;
use crate::target::OwnAccount;

/// The longest name and the longest sentence about oneself.
const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 160;

/// Returns the caller's own account and what its profile counts.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn own(ctx: &RequestContext) -> Result<Profile> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, OwnAccount, Action::AccountReadPrivate).await?;
    forge_store::accounts::find_profile(&mut conn, found.id).await?.ok_or_else(Error::not_found)
}

/// Returns the public profile of `login`, be it a human, an agent or an organization.
///
/// # Errors
/// `NotFound` if nobody has that login.
pub async fn find_public(ctx: &RequestContext, login: &str) -> Result<Profile> {
    let mut conn = ctx.read().await?;
    forge_store::accounts::find_profile_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)
}

/// Returns the public profile of the account with this id.
///
/// # Errors
/// `NotFound` if there is none.
pub async fn find_by_id(ctx: &RequestContext, id: AccountId) -> Result<Profile> {
    let mut conn = ctx.read().await?;
    forge_store::accounts::find_profile(&mut conn, id).await?.ok_or_else(Error::not_found)
}

/// Returns the humans and agents after `since`, by id.
///
/// # Errors
/// Only faults of the forge.
pub async fn list(ctx: &RequestContext, since: AccountId, limit: u32) -> Result<Vec<Account>> {
    let mut conn = ctx.read().await?;
    Ok(forge_store::accounts::list_users(&mut conn, since, i64::from(limit)).await?)
}

/// Returns the caller's own account, for its addresses.
///
/// # Errors
/// What the decision says.
pub async fn own_email(ctx: &RequestContext) -> Result<Option<String>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, OwnAccount, Action::AccountReadEmail).await?;
    let account = forge_store::accounts::find(&mut conn, found.id).await?.ok_or_else(Error::not_found)?;
    Ok(account.email)
}

/// What is to be changed in one's own profile; `None` leaves a thing as it is, an empty text removes it.
#[derive(Clone, Debug, Default)]
pub struct ProfileChanges {
    /// The display name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// A sentence about oneself.
    pub description: Option<String>,
}

/// Changes the caller's own profile.
///
/// # Errors
/// `Invalid` if a text is too long or an address is none.
pub async fn update_own(ctx: &RequestContext, changes: &ProfileChanges) -> Result<Profile> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, OwnAccount, Action::AccountUpdate).await?;
    let profile = forge_store::accounts::find_profile(&mut tx, found.id).await?;
    let mut profile = profile.ok_or_else(Error::not_found)?;
    let before = profile.account.clone();
    set(&changes.name, &mut profile.account.name, "name", MAX_NAME)?;
    set(&changes.email, &mut profile.account.email, "email", MAX_NAME)?;
    set(&changes.description, &mut profile.account.description, "bio", MAX_DESCRIPTION)?;
    check_email(profile.account.email.as_deref())?;
    if profile.account != before {
        profile.account.updated_at = ctx.now();
        forge_store::accounts::update_profile(&mut tx, &profile.account).await?;
        ctx.record(&mut tx, Event::new("account.updated")).await?;
    }
    tx.commit().await?;
    Ok(profile)
}

fn set(wanted: &Option<String>, field: &mut Option<String>, name: &'static str, max: usize) -> Result<()> {
    let Some(text) = wanted.as_ref().map(|text| text.trim()) else { return Ok(()) };
    if text.chars().count() > max || text.chars().any(char::is_control) {
        return Err(invalid(name, &format!("{name} is too long (maximum is {max} characters)")));
    }
    *field = Some(text.to_owned()).filter(|text| !text.is_empty());
    Ok(())
}

fn check_email(email: Option<&str>) -> Result<()> {
    let is_address = |email: &str| {
        let parts = email.split_once('@');
        let is_word = |part: &str| !part.is_empty() && !part.contains([' ', '@', '<', '>', ',']);
        parts.is_some_and(|(name, host)| is_word(name) && is_word(host))
    };
    if email.is_none_or(is_address) { Ok(()) } else { Err(invalid("email", "email is invalid")) }
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::invalid("User", field, FieldCode::Invalid, message)
}
