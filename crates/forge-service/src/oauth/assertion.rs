//! An agent with a key obtains a session: the client credentials grant, where the agent is its own client and signs who
//! it is (RFC 7523 §2.2). No secret leaves it, and none is kept here.

use std::time::Duration;

use forge_auth::assertion::Assertion;
use forge_auth::jose::{Jwk, Thumbprint};
use forge_auth::messages::{ClientAuthentication, OAuthError, TokenAnswer};
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::agent_key::{AgentKey, KeyPurpose};
use forge_types::credential::CredentialKind;
use forge_types::{Error, Event, Scopes, name};

use super::bootstrap::unbound;
use super::failure::Fault;
use super::{answer, is_unbound, issuer};
use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};
use crate::standing::Standing;

/// How long a session lasts; the key opens another at any time.
const SESSION: Duration = Duration::from_secs(3600);

/// Gives a session to the agent that has signed `assertion`, bound to the key of a proof if one comes with it.
pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    assertion: &str,
    scopes: Option<&Scopes>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let (account, proved_with) = recognise(ctx, said, assertion).await?;
    let ctx = ctx.speaking_for(AccountRef::from(&account));
    let new = NewToken {
        scopes: scopes.cloned(),
        // What ends with the key is found by its id.
        family: Some(&proved_with.id.0),
        cnf_jkt: key.map(Thumbprint::to_string),
        expires_at: Some(ctx.now().plus(SESSION)),
        ..NewToken::new(account.id, CredentialKind::Session, "session")
    };
    let mut tx = ctx.begin().await?;
    let standing = Standing::of_account(&mut tx, account.id).await?.ok_or_else(OAuthError::invalid_client)?;
    let agent =
        forge_store::agents::find(&mut tx, account.id).await?.ok_or_else(OAuthError::invalid_client)?;
    if agent.bound_only && is_unbound(&ctx, key) {
        return Err(unbound());
    }
    // The account is held, so that a key that is good here is good until the commit.
    let live = forge_store::agents::keys::list_live(&mut tx, account.id, ctx.now()).await?;
    if !live.iter().any(|live| live.id == proved_with.id) {
        return Err(OAuthError::invalid_client().into());
    }
    let session = issue(&ctx, &mut tx, &standing, new).await?;
    forge_store::agents::keys::touch(&mut tx, &proved_with.id, ctx.now()).await?;
    let event = Event::new("agent.key_exchanged").with("key_id", proved_with.id.0.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(answer(ctx.now(), session, None))
}

/// Returns the agent and the key of its that signed. An assertion is good once.
async fn recognise(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    assertion: &str,
) -> Result<(Account, AgentKey), Fault> {
    let refused = |_| OAuthError::invalid_client();
    let assertion = Assertion::read(assertion).map_err(refused)?;
    let same = said.client_id.as_deref().is_none_or(|id| name::key(id) == name::key(assertion.subject()));
    if !same {
        return Err(OAuthError::invalid_client().into());
    }
    let mut conn = ctx.read().await?;
    let account = forge_store::accounts::find_by_login(&mut conn, assertion.subject()).await?;
    let account = account.filter(|account| account.kind == AccountKind::Agent);
    let account = account.ok_or_else(OAuthError::invalid_client)?;
    let live = forge_store::agents::keys::list_live(&mut conn, account.id, ctx.now()).await?;
    drop(conn);
    for key in live.into_iter().filter(|key| key.purpose == KeyPurpose::Dpop) {
        let jwk = Jwk::from_text(&key.public_key).map_err(Error::internal)?;
        let Ok(asserted) = assertion.check(&jwk, &issuer(ctx), ctx.now()) else { continue };
        let until = ctx.now().plus(Assertion::REMEMBERED);
        if forge_store::proofs::remember(&ctx.app().db, &asserted.replay_key, until).await? {
            return Ok((account, key));
        }
    }
    Err(OAuthError::invalid_client().into())
}
