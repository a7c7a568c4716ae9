//! Creating the accounts of people.

use forge_store::Tx;
use forge_store::accounts::NewAccount;
use forge_types::account::{Account, AccountKind};
use forge_types::{Error, Event, FieldCode, Result, name};

use crate::context::RequestContext;

const LONGEST_EMAIL: usize = 254;

/// What a new person is made of.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// The login.
    pub login: String,
    /// The display name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Whether the person administers the forge.
    pub is_site_admin: bool,
}

/// Checks what can be checked without the database.
///
/// # Errors
/// `Invalid` with the field.
pub(crate) fn check(new: &NewPerson) -> Result<()> {
    name::check_login(&new.login)?;
    let Some(email) = &new.email else { return Ok(()) };
    let is_valid = email.len() <= LONGEST_EMAIL
        && email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && !email.chars().any(|character| character.is_whitespace() || character.is_control());
    if is_valid {
        return Ok(());
    }
    Err(Error::invalid("User", "email", FieldCode::Invalid, "email must be an address"))
}

/// Creates a person and records that.
///
/// # Errors
/// `Invalid` if the login is taken or not allowed.
pub(crate) async fn create(ctx: &RequestContext, tx: &mut Tx, new: &NewPerson) -> Result<Account> {
    check(new)?;
    if forge_store::accounts::login_is_taken(tx, &new.login).await? {
        return Err(taken());
    }
    let row = NewAccount {
        kind: AccountKind::Human,
        login: &new.login,
        name: new.name.as_deref(),
        email: new.email.as_deref(),
        description: None,
        is_site_admin: new.is_site_admin,
        created_by: ctx.account_id(),
    };
    let inserted = forge_store::accounts::insert(tx, &row, ctx.now()).await;
    let account = inserted.map_err(|error| if error.is_duplicate() { taken() } else { error.into() })?;
    let event = Event::new("account.created")
        .subject(account.id)
        .with("login", account.login.as_str())
        .with("kind", account.kind.as_str())
        .with("is_site_admin", account.is_site_admin)
        .personal("email", account.email.as_deref());
    ctx.record(tx, event).await?;
    Ok(account)
}

fn taken() -> Error {
    Error::invalid("User", "login", FieldCode::AlreadyExists, "login is taken")
}
