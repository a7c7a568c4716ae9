//! Failing at the token endpoint: from whatever goes wrong to what the client is told, and into the audit log.

use std::time::Duration;

use forge_auth::messages::{ClientAuthentication, OAuthCode, OAuthError, TokenRequest};
use forge_store::StoreError;
use forge_types::{Error, Event, Result};

use crate::context::RequestContext;
use crate::throttle::{self, Limit};

/// How many failures of one address the audit log takes; a flood must not fill it.
const RECORDED: Limit = Limit { name: "oauth.failure", attempts: 30, window: Duration::from_secs(15 * 60) };

/// An error of the authorization server, from wherever it comes.
pub(super) struct Fault(pub(super) OAuthError);

impl From<OAuthError> for Fault {
    fn from(error: OAuthError) -> Self {
        Self(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self(Error::from(error).into())
    }
}

/// Records that a request failed, unless waiting or a nonce is all that is wrong, and returns what the client is told.
pub(super) async fn recorded(
    ctx: &RequestContext,
    client: &ClientAuthentication,
    request: &TokenRequest,
    error: OAuthError,
) -> OAuthError {
    let is_waiting = matches!(
        error.code,
        OAuthCode::AuthorizationPending
            | OAuthCode::SlowDown
            | OAuthCode::UseDpopNonce
            | OAuthCode::TemporarilyUnavailable
            | OAuthCode::ServerError
    );
    if is_waiting {
        return error;
    }
    match record(ctx, client, request, error.code).await {
        Ok(()) => error,
        Err(fault) => fault.into(),
    }
}

async fn record(
    ctx: &RequestContext,
    client: &ClientAuthentication,
    request: &TokenRequest,
    code: OAuthCode,
) -> Result<()> {
    let mut tx = ctx.begin().await?;
    if throttle::count(ctx, &mut tx, RECORDED, &throttle::address(ctx)).await?.is_ok() {
        let grant = match request {
            TokenRequest::DeviceCode { .. } => "device_code",
            TokenRequest::AuthorizationCode { .. } => "authorization_code",
            TokenRequest::Refresh { .. } => "refresh_token",
            TokenRequest::ClientCredentials { .. } => "client_credentials",
            TokenRequest::Exchange(_) => "token_exchange",
            TokenRequest::Workload(_) => "workload",
        };
        let mut event = Event::new("token.refused").with("grant", grant).with("error", code.as_str());
        // Whoever mixes up two fields sends a secret as the id, so only what looks like an id is kept.
        if let Some(id) = client.client_id.as_deref().filter(|id| id.len() <= 39) {
            event = event.with("client_id", id);
        }
        ctx.record(&mut tx, event).await?;
    }
    Ok(tx.commit().await?)
}
