//! An agent exchanges its bootstrap secret for a short session: the client credentials grant, where the agent is its
//! own client (RFC 6749 §4.4). Any OAuth library can do it.

use std::time::Duration;

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{ClientAuthentication, OAuthCode, OAuthError, TokenAnswer};
use forge_auth::token::recognise as recognise_token;
use forge_types::credential::CredentialKind;
use forge_types::{Error, Event, Scopes, name};

use super::failure::Fault;
use super::{answer, is_unbound};
use crate::authenticate::{find, is_live};
use crate::context::RequestContext;
use crate::credentials::{NewToken, Parent, issue};
use crate::standing::Standing;

/// How long a session lasts; the secret opens another at any time.
const SESSION: Duration = Duration::from_secs(3600);

pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    scopes: Option<&Scopes>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let (Some(login), Some(secret)) = (&said.client_id, &said.secret) else {
        return Err(OAuthError::invalid_client().into());
    };
    let (app, now) = (ctx.app(), ctx.now());
    if recognise_token(&app.token_prefix, secret.expose()) != Some(CredentialKind::Bootstrap) {
        return Err(OAuthError::invalid_client().into());
    }
    let found = find(app, secret).await?.filter(|found| is_live(found, now));
    let found = found.filter(|found| name::key(&found.account.login) == name::key(login));
    let found = found.ok_or_else(OAuthError::invalid_client)?;
    if found.bound_only && is_unbound(ctx, key) {
        return Err(unbound());
    }
    let ctx = ctx.speaking_for(found.account.clone());
    let latest = now.plus(SESSION);
    let new = NewToken {
        scopes: scopes.cloned().or_else(|| found.credential.scopes.clone()),
        parent: Some(Parent::from(&found.credential)),
        cnf_jkt: key.map(Thumbprint::to_string),
        expires_at: Some(found.credential.expires_at.map_or(latest, |expiry| expiry.min(latest))),
        ..NewToken::new(found.account.id, CredentialKind::Session, "session")
    };
    let mut tx = ctx.begin().await?;
    let standing = Standing::of_credential(&ctx, &mut tx, found.account.id, found.credential.id).await?;
    let standing = standing.ok_or_else(OAuthError::invalid_client)?;
    let session = issue(&ctx, &mut tx, &standing, new).await?;
    let event = Event::new("bootstrap.exchanged").with("credential_id", found.credential.id.0);
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    app.note_use(found.credential.id, now);
    Ok(answer(now, session, None))
}

/// An agent that takes bound tokens only has no use for another.
pub(super) fn unbound() -> Fault {
    let message = "this agent takes tokens only that are bound to a key: send a proof of possession";
    OAuthError::new(OAuthCode::InvalidDpopProof, message).into()
}
