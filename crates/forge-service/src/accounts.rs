//! Accounts as everyone sees them.

use forge_types::account::Account;
use forge_types::{Action, Error, Result};

use crate::context::RequestContext;
use crate::target::OwnAccount;

/// Returns the caller's own account.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn own(ctx: &RequestContext) -> Result<Account> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, OwnAccount, Action::AccountReadPrivate).await?;
    forge_store::accounts::find(&mut conn, found.id).await?.ok_or_else(Error::not_found)
}

/// Returns the public profile of `login`.
///
/// # Errors
/// `NotFound` if nobody has that login.
pub async fn find_public(ctx: &RequestContext, login: &str) -> Result<Account> {
    let mut conn = ctx.read().await?;
    forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)
}
