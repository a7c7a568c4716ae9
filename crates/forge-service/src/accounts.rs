//! Accounts as their owners and as everyone else sees them.
//!
//! INVARIANT: an account leaves this crate with its address only where the caller may read it, see [`as_seen`].

use forge_git::objects::Signature;
pub use forge_store::accounts::Profile;
use forge_types::account::Account;
use forge_types::id::AccountId;
use forge_types::{Action, Error, Event, FieldCode, Result};

use crate::context::RequestContext;
use crate::target::{OwnAccount, OwnAccountFound};

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
    profile_as_seen(ctx, forge_store::accounts::find_profile(&mut conn, found.id).await?)
}

/// Returns the public profile of `login`, be it a human, an agent or an organization.
///
/// # Errors
/// `NotFound` if nobody has that login.
pub async fn find_public(ctx: &RequestContext, login: &str) -> Result<Profile> {
    let mut conn = ctx.read().await?;
    profile_as_seen(ctx, forge_store::accounts::find_profile_by_login(&mut conn, login).await?)
}

/// Returns the public profile of the account with this id.
///
/// # Errors
/// `NotFound` if there is none.
pub async fn find_by_id(ctx: &RequestContext, id: AccountId) -> Result<Profile> {
    let mut conn = ctx.read().await?;
    profile_as_seen(ctx, forge_store::accounts::find_profile(&mut conn, id).await?)
}

/// Returns an account without what the caller may not read of it. An address is for the account itself, through a token
/// that may read it, and for others where the account shows it.
pub(crate) fn as_seen(ctx: &RequestContext, mut account: Account) -> Account {
    let is_shown = ctx.may(&account, Action::ProfileReadEmail)
        || ctx.may(&OwnAccountFound { id: account.id }, Action::AccountReadEmail);
    if !is_shown {
        account.email = None;
    }
    account
}

fn profile_as_seen(ctx: &RequestContext, found: Option<Profile>) -> Result<Profile> {
    let Profile { account, public_repositories, private_repositories, size_bytes } =
        found.ok_or_else(Error::not_found)?;
    Ok(Profile { account: as_seen(ctx, account), public_repositories, private_repositories, size_bytes })
}

/// Returns the address that stands in commits made for an account: its own if it shows that, else one that only names
/// the account.
pub(crate) fn commit_email(ctx: &RequestContext, account: &Account) -> String {
    let host = ctx.settings().origin.host_str().unwrap_or("localhost");
    let hidden = || format!("{}+{}@users.noreply.{host}", account.id, account.login);
    account.email.clone().filter(|_| account.is_email_public).unwrap_or_else(hidden)
}

/// Returns how the caller signs commits that the forge makes for it.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub(crate) async fn commit_signature(ctx: &RequestContext) -> Result<Signature> {
    commit_signature_as(ctx, None).await
}

/// The same with an address of the caller's choice, which must be its own.
///
/// # Errors
/// `Invalid` if it is not the caller's; `Unauthenticated` when anonymous.
pub(crate) async fn commit_signature_as(ctx: &RequestContext, email: Option<&str>) -> Result<Signature> {
    let id = ctx.account()?.id;
    let account =
        forge_store::accounts::find(&mut ctx.read().await?, id).await?.ok_or_else(Error::not_found)?;
    let own = commit_email(ctx, &account);
    let email = match email {
        Some(email) if email != own && account.email.as_deref() != Some(email) => {
            return Err(Error::unprocessable(format!("`{email}` is not an address of this account")));
        }
        Some(email) => email.to_owned(),
        None => own,
    };
    Ok(Signature {
        name: account.name.clone().unwrap_or_else(|| account.login.clone()),
        email,
        seconds: ctx.now().as_seconds(),
        offset: 0,
    })
}

/// Returns the addresses that can stand in the caller's commits, the one that does first.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn commit_emails(ctx: &RequestContext) -> Result<Vec<String>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, OwnAccount, Action::AccountReadPrivate).await?;
    let account = forge_store::accounts::find(&mut conn, found.id).await?.ok_or_else(Error::not_found)?;
    let first = commit_email(ctx, &account);
    let own = as_seen(ctx, account).email.filter(|email| *email != first);
    Ok([first].into_iter().chain(own).collect())
}

/// Returns the humans and agents after `since`, by id.
///
/// # Errors
/// Only faults of the forge.
pub async fn list(ctx: &RequestContext, since: AccountId, limit: u32) -> Result<Vec<Account>> {
    let mut conn = ctx.read().await?;
    let found = forge_store::accounts::list_users(&mut conn, since, i64::from(limit)).await?;
    Ok(found.into_iter().map(|account| as_seen(ctx, account)).collect())
}

/// The caller's own address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEmail {
    /// The address.
    pub email: String,
    /// Whether others see it.
    pub is_public: bool,
}

impl OwnEmail {
    fn of(account: Account) -> Option<Self> {
        Some(Self { email: account.email?, is_public: account.is_email_public })
    }
}

/// Returns the caller's own address.
///
/// # Errors
/// What the decision says.
pub async fn own_email(ctx: &RequestContext) -> Result<Option<OwnEmail>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, OwnAccount, Action::AccountReadEmail).await?;
    let account = forge_store::accounts::find(&mut conn, found.id).await?.ok_or_else(Error::not_found)?;
    Ok(OwnEmail::of(account))
}

/// Shows the caller's own address to others, or hides it.
///
/// # Errors
/// What the decision says; `NotFound` if there is no address.
pub async fn show_own_email(ctx: &RequestContext, is_public: bool) -> Result<OwnEmail> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, OwnAccount, Action::AccountUpdate).await?;
    let account = forge_store::accounts::find(&mut tx, found.id).await?.ok_or_else(Error::not_found)?;
    let before = account.is_email_public;
    let account = Account { is_email_public: is_public, ..account };
    if account.email.is_some() && before != is_public {
        let account = Account { updated_at: ctx.now(), ..account.clone() };
        forge_store::accounts::update_profile(&mut tx, &account).await?;
        ctx.record(&mut tx, Event::new("account.updated").with("is_email_public", is_public)).await?;
    }
    tx.commit().await?;
    OwnEmail::of(account).ok_or_else(Error::not_found)
}

/// What is to be changed in one's own profile; `None` leaves a thing as it is, an empty text removes it.
#[derive(Clone, Debug, Default)]
pub struct ProfileChanges {
    /// The display name.
    pub name: Option<String>,
    /// The address that others see; an empty text shows them none, but keeps it.
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
    set(&changes.description, &mut profile.account.description, "bio", MAX_DESCRIPTION)?;
    set_public_email(changes.email.as_deref(), &mut profile.account)?;
    if profile.account != before {
        profile.account.updated_at = ctx.now();
        forge_store::accounts::update_profile(&mut tx, &profile.account).await?;
        ctx.record(&mut tx, Event::new("account.updated")).await?;
    }
    tx.commit().await?;
    profile_as_seen(ctx, Some(profile))
}

/// What a profile is given as its address is what it shows
/// (<https://docs.github.com/rest/users/users#update-the-authenticated-user>).
fn set_public_email(wanted: Option<&str>, account: &mut Account) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let mut email = account.email.take();
    let before = email.clone();
    set(&Some(wanted.to_owned()), &mut email, "email", MAX_NAME)?;
    check_email(email.as_deref())?;
    account.is_email_public = email.is_some();
    account.email = email.or(before);
    Ok(())
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
