//! Revoking a token at the revocation endpoint (RFC 7009). Whoever holds a token may end it; whoever does not learns
//! nothing, since the answer is always the same.

use forge_auth::messages::{OAuthError, TokenToCheck};
use forge_types::account::AccountRef;
use forge_types::{Error, Result};

use super::clients::recognise;
use super::failure::Fault;
use crate::context::RequestContext;
use crate::credentials::{find_by_value, revoke_found};

/// Ends a token, and with a refresh or access token of a client everything that came from the same consent.
///
/// # Errors
/// `invalid_client` if a client names itself and is wrong about it.
pub async fn revoke(ctx: &RequestContext, request: &TokenToCheck) -> Result<(), OAuthError> {
    revoke_if_known(ctx, request).await.map_err(|Fault(error)| error)
}

async fn revoke_if_known(ctx: &RequestContext, request: &TokenToCheck) -> Result<(), Fault> {
    let client = match request.client.client_id {
        Some(_) => Some(recognise(ctx, &mut ctx.read().await?, &request.client).await?),
        None => None,
    };
    let mut tx = ctx.begin().await?;
    let Some(found) = find_by_value(ctx, &mut tx, &request.token).await? else { return Ok(()) };
    let is_anothers =
        client.as_ref().is_some_and(|client| found.client_id.as_deref() != Some(client.client_id.as_str()));
    if is_anothers {
        return Ok(());
    }
    let account = forge_store::accounts::find(&mut tx, found.account_id).await?;
    let account = account.ok_or_else(Error::not_found)?;
    revoke_found(&ctx.speaking_for(AccountRef::from(&account)), &mut tx, &found).await?;
    Ok(tx.commit().await.map_err(Error::from)?)
}
