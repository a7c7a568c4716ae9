//! Creating a token for somebody else, for machines without a browser.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_types::account::AccountKind;
use forge_types::credential::{Credential, CredentialKind};
use forge_types::{Action, Error, FieldCode, Result, Scopes};

use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};
use crate::standing::Standing;
use crate::target::Site;

/// Creates a standing token for the person or agent called `login`.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `NotFound` if nobody has that login.
pub async fn create_token(
    ctx: &RequestContext,
    login: &str,
    name: &str,
    scopes: Option<Scopes>,
    lifetime: Option<Duration>,
) -> Result<(Secret, Credential)> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let found = forge_store::accounts::find_by_login(&mut tx, login).await?;
    let account = found.ok_or_else(Error::not_found)?;
    if account.kind == AccountKind::Organization {
        let message = "an organization cannot act, so it has no tokens";
        return Err(Error::invalid("Token", "login", FieldCode::Invalid, message));
    }
    let standing = Standing::of_caller(ctx, &mut tx, &[account.id]).await?;
    let new = NewToken {
        scopes,
        expires_at: lifetime.map(|lifetime| ctx.now().plus(lifetime)),
        ..NewToken::new(account.id, CredentialKind::Personal, name)
    };
    let issued = issue(ctx, &mut tx, &standing, new).await?;
    tx.commit().await?;
    Ok(issued)
}
