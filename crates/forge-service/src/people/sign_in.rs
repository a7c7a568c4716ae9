//! Signing in with a password. The answer is the same, in words and in time, whether the login or the password is
//! wrong; attempts are limited by account and by address.

use std::time::Duration;

use forge_auth::password::MAX_LENGTH;
use forge_store::Tx;
use forge_store::passwords::SignInAccount;
use forge_types::account::AccountStatus;
use forge_types::{Error, ErrorKind, Event, Result, name};

use super::identities::{HostIdentity, find_or_create};
use super::sessions::{SignedIn, open};
use crate::app::App;
use crate::context::RequestContext;
use crate::people::{password, second_factor};
use crate::standing::hold_to_end;
use crate::throttle::{self, Limit};

const PER_ACCOUNT: Limit =
    Limit { name: "sign_in.account", attempts: 10, window: Duration::from_secs(15 * 60) };
const PER_ADDRESS: Limit =
    Limit { name: "sign_in.address", attempts: 50, window: Duration::from_secs(15 * 60) };

/// Signs a person in, with a code where the account takes one.
///
/// # Errors
/// `Invalid` with the field `code` if the password is right, and the code is missing or wrong;
/// `Unauthenticated`, always with the same words, if there is no such account or the password is wrong;
/// `RateLimited` after too many attempts, whether or not the account exists.
pub async fn with_password(ctx: &RequestContext, login: &str, given: &str, code: &str) -> Result<SignedIn> {
    count_attempt(ctx, login).await?;
    let found = find(ctx, login).await?;
    let stored = found.as_ref().and_then(|account| account.hash.clone());
    let is_right = is_right(ctx.app(), given, stored).await?;
    let may_enter = |account: &SignInAccount| is_right && account.status == AccountStatus::Active;
    match found {
        Some(account) if may_enter(&account) => match succeed(ctx, login, &account, code).await? {
            Some(signed_in) => Ok(signed_in),
            None => Err(fail(ctx, Some(&account)).await?),
        },
        found => Err(fail(ctx, found.as_ref()).await?),
    }
}

/// Confirms that the person of a session is there, by a code instead of the password.
///
/// # Errors
/// `Invalid` with the field `code` if it is wrong or the account takes none; `RateLimited` after too many attempts.
pub async fn with_code(ctx: &RequestContext, code: &str) -> Result<SignedIn> {
    let (id, login) = {
        let account = ctx.account()?;
        (account.id, account.login.clone())
    };
    count_attempt(ctx, &login).await?;
    let mut tx = ctx.begin().await?;
    hold_to_end(&mut tx, id).await?;
    if ctx.caller().session.is_none() || !ctx.still_stands(&mut tx).await? {
        return Err(Error::bad_credentials());
    }
    if !second_factor::accept(ctx, &mut tx, id, code).await? {
        ctx.record(&mut tx, Event::new("sign_in.failed").with("method", "code")).await?;
        tx.commit().await?;
        return Err(second_factor::wrong());
    }
    throttle::forget(ctx, &mut tx, PER_ACCOUNT, &name::key(&login)).await?;
    let account = forge_store::accounts::find(&mut tx, id).await?.ok_or_else(Error::not_found)?;
    let signed_in = open(ctx, &mut tx, account, "code").await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Signs in a person whom a provider has authenticated, creating the account at the first visit.
///
/// # Errors
/// `Unauthenticated` if the account may not act.
pub async fn with_identity(ctx: &RequestContext, identity: &HostIdentity) -> Result<SignedIn> {
    let account = find_or_create(ctx, identity).await?;
    let mut tx = ctx.begin().await?;
    let signed_in = open(ctx, &mut tx, account, "provider").await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Records that a provider did not vouch for somebody who came back from it.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn provider_refused(ctx: &RequestContext, provider: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let event = Event::new("sign_in.failed").with("method", "provider").with("provider", provider);
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}

/// The attempt is counted before the password is looked at, so that parallel guesses count too.
async fn count_attempt(ctx: &RequestContext, login: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let by_address = match &ctx.info().ip {
        Some(_) => throttle::count(ctx, &mut tx, PER_ADDRESS, &throttle::address(ctx)).await?.map(drop),
        None => Ok(()),
    };
    let by_account = throttle::count(ctx, &mut tx, PER_ACCOUNT, &name::key(login)).await?;
    if matches!(by_account, Ok(seen) if seen == PER_ACCOUNT.attempts) {
        ctx.record(&mut tx, Event::new("sign_in.throttled")).await?;
    }
    tx.commit().await?;
    by_address.and(by_account.map(drop))
}

async fn find(ctx: &RequestContext, login: &str) -> Result<Option<SignInAccount>> {
    Ok(forge_store::passwords::find_by_login(&mut ctx.read().await?, login).await?)
}

async fn is_right(app: &App, given: &str, stored: Option<String>) -> Result<bool> {
    if given.len() > MAX_LENGTH {
        return Ok(false);
    }
    app.passwords.verify(given.to_owned(), stored).await.map_err(password::fault)
}

/// Opens the session, unless the password was replaced while it was looked at, which takes a while: whoever replaces one
/// wants those who know the old one to be out.
async fn succeed(
    ctx: &RequestContext,
    login: &str,
    found: &SignInAccount,
    code: &str,
) -> Result<Option<SignedIn>> {
    let mut tx = ctx.begin().await?;
    hold_to_end(&mut tx, found.id).await?;
    let now_stored = forge_store::passwords::find_by_login(&mut tx, login).await?;
    if now_stored.is_none_or(|stored| stored.id != found.id || stored.hash != found.hash) {
        return Ok(None);
    }
    if second_factor::is_needed(&mut tx, found.id).await? {
        if code.trim().is_empty() {
            return Err(second_factor::missing());
        }
        if !second_factor::accept(ctx, &mut tx, found.id, code).await? {
            record_failure(ctx, &mut tx, Some(found)).await?;
            tx.commit().await?;
            return Err(second_factor::wrong());
        }
    }
    throttle::forget(ctx, &mut tx, PER_ACCOUNT, &name::key(login)).await?;
    let account = forge_store::accounts::find(&mut tx, found.id).await?.ok_or_else(Error::not_found)?;
    let signed_in = open(ctx, &mut tx, account, "password").await?;
    tx.commit().await?;
    Ok(Some(signed_in))
}

async fn fail(ctx: &RequestContext, found: Option<&SignInAccount>) -> Result<Error> {
    let mut tx = ctx.begin().await?;
    record_failure(ctx, &mut tx, found).await?;
    tx.commit().await?;
    Ok(Error::new(ErrorKind::Unauthenticated, "login or password is wrong"))
}

/// What was typed is never recorded: people type passwords where logins belong.
async fn record_failure(ctx: &RequestContext, tx: &mut Tx, found: Option<&SignInAccount>) -> Result<()> {
    let mut event = Event::new("sign_in.failed").with("method", "password");
    if let Some(account) = found {
        event = event.human(account.id, &account.login);
    }
    ctx.record(tx, event).await
}
