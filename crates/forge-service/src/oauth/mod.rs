//! The authorization server: device grant (RFC 8628), authorization code with PKCE (RFC 7636), refresh with rotation,
//! an agent's exchange of its bootstrap secret for a session, which is the client credentials grant with the agent's login
//! as client id and the secret as client secret, or an assertion that its key has
//! signed, or the certificate of its connection (RFC 8705); a workload's, of what its issuer
//! says of it (RFC 7523); and its exchange of a credential for a narrower one (RFC 8693).
//!
//! INVARIANT: a code or refresh token is used up by one conditional statement in the transaction that issues what it
//! is good for; a second use ends everything that came from the first.

mod assertion;
pub mod authorize;
mod bootstrap;
mod certificate;
pub mod clients;
mod code;
pub mod decision;
pub mod device;
mod exchange;
mod failure;
mod introspection;
pub mod pushed;
mod refresh;
mod revocation;
mod task;
mod workload;

use std::time::Duration;

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{ClientAuthentication, OAuthError, TokenAnswer, TokenRequest};
use forge_auth::token::Secret;
use forge_types::Timestamp;
use forge_types::credential::Credential;

pub use introspection::introspect;
pub use revocation::revoke;
pub use task::AskedTask;
pub use workload::{KeyPlace, KeySource, SoughtKeys};

use crate::context::RequestContext;
use crate::proof::{self, Shown};
use failure::Fault;

/// How long an access token lasts that comes with a refresh token.
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(3600);

/// Answers a request at the token endpoint. What is given is bound to the key of which the request brings a proof.
///
/// # Errors
/// What the client is told; everything but waiting for a decision or a nonce is in the audit log.
pub async fn token(
    ctx: &RequestContext,
    client: &ClientAuthentication,
    request: &TokenRequest,
    shown: Option<&Shown>,
) -> Result<TokenAnswer, OAuthError> {
    match grant(ctx, client, request, shown).await {
        Ok(answer) => Ok(answer),
        Err(Fault(error)) => Err(failure::recorded(ctx, client, request, error).await),
    }
}

async fn grant(
    ctx: &RequestContext,
    client: &ClientAuthentication,
    request: &TokenRequest,
    shown: Option<&Shown>,
) -> Result<TokenAnswer, Fault> {
    let key = proof::at_token_endpoint(ctx, shown).await?;
    let key = key.as_ref();
    match request {
        TokenRequest::DeviceCode { device_code, subject_token } => {
            device::exchange(ctx, client, device_code, subject_token.as_ref(), key).await
        }
        TokenRequest::AuthorizationCode { code, redirect_uri, verifier, subject_token } => {
            let (redirect_uri, verifier) = (redirect_uri.as_deref(), verifier.as_deref());
            let subject_token = subject_token.as_ref();
            code::exchange(ctx, client, code, code::Proof { redirect_uri, verifier, subject_token, key })
                .await
        }
        TokenRequest::Refresh { token, scopes } => {
            refresh::exchange(ctx, client, token, scopes.as_ref(), key).await
        }
        TokenRequest::ClientCredentials { scopes } => {
            let (scopes, certificate) = (scopes.as_ref(), &ctx.info().certificate);
            match (&client.assertion, &client.secret, certificate) {
                (Some(assertion), _, _) => assertion::exchange(ctx, client, assertion, scopes, key).await,
                (None, None, Some(shown)) => certificate::exchange(ctx, client, shown, scopes, key).await,
                (None, _, _) => bootstrap::exchange(ctx, client, scopes, key).await,
            }
        }
        TokenRequest::Exchange(request) => exchange::exchange(ctx, request, key).await,
        TokenRequest::Workload(request) => workload::exchange(ctx, client, request, key).await,
    }
}

/// Returns whether what was asked with the thumbprint of a key may be had with a proof by `key`.
fn is_by(wanted: Option<&str>, key: Option<&Thumbprint>) -> bool {
    wanted.is_none_or(|wanted| key.is_some_and(|key| key.as_str() == wanted))
}

/// Returns whether what is given would be good to whoever reads it: neither a key nor a certificate binds it.
fn is_unbound(ctx: &RequestContext, key: Option<&Thumbprint>) -> bool {
    key.is_none() && ctx.info().certificate.is_none()
}

/// Returns the issuer: the public origin without a slash at its end.
#[must_use]
pub fn issuer(ctx: &RequestContext) -> String {
    ctx.settings().origin.as_str().trim_end_matches('/').to_owned()
}

fn answer(
    now: Timestamp,
    (access_token, access): (Secret, Credential),
    refresh: Option<(Secret, Credential)>,
) -> TokenAnswer {
    let seconds = |credential: &Credential| credential.expires_at.map(|expiry| expiry.since(now).as_secs());
    TokenAnswer {
        access_token,
        is_bound: access.cnf_jkt.is_some(),
        expires_in: seconds(&access),
        refresh_token: refresh.map(|(token, credential)| (token, seconds(&credential).unwrap_or_default())),
        scope: access.scopes.map(|scopes| scopes.to_string()),
        exchanged: None,
    }
}
