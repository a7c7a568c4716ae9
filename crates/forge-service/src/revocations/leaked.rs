//! Killing tokens that leaked: whoever holds one may, and need not say who that is
//! (<https://docs.github.com/rest/credentials/revoke>). What is no live token of this forge is passed over, so that nothing
//! is told about what exists.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_types::{Error, Event, Result};

use crate::context::RequestContext;
use crate::credentials::{find_by_value, revoke_found};
use crate::throttle::{self, Limit};

/// The most tokens of one request.
pub const MOST_LEAKED: usize = 1000;

/// How often one address may ask.
const REQUESTS: Limit = Limit { name: "credentials.revoke", attempts: 60, window: Duration::from_secs(3600) };

/// Revokes the tokens among these values.
///
/// # Errors
/// `Forbidden` for a caller that says who it is, as on GitHub; `Invalid` for none or too many values; `RateLimited`.
pub async fn revoke_leaked(ctx: &RequestContext, tokens: &[Secret]) -> Result<()> {
    if ctx.account_id().is_some() {
        return Err(Error::forbidden("this is asked without authentication"));
    }
    if tokens.is_empty() || tokens.len() > MOST_LEAKED {
        return Err(Error::unprocessable(format!("credentials has 1 to {MOST_LEAKED} entries")));
    }
    let mut tx = ctx.begin().await?;
    let counted = throttle::count(ctx, &mut tx, REQUESTS, &throttle::address(ctx)).await?;
    tx.commit().await?;
    counted?;
    for token in tokens {
        let mut tx = ctx.begin().await?;
        if let Some(found) =
            find_by_value(ctx, &mut tx, token).await?.filter(|found| found.revoked_at.is_none())
        {
            revoke_found(ctx, &mut tx, &found).await?;
            let event = Event::new("credential.reported")
                .subject(found.account_id)
                .with("credential_id", found.id.0)
                .with("kind", found.kind.as_str());
            ctx.record(&mut tx, event).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
