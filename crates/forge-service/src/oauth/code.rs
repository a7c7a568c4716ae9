//! Exchanging an authorization code.

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{ClientAuthentication, OAuthError, TokenAnswer, verifies};
use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::grants::Ended;
use forge_store::oauth::authorization_codes::AuthorizationCode;
use forge_types::account::{Account, AccountRef};
use forge_types::credential::CredentialKind;
use forge_types::{Error, Event};

use super::authorize::hashes;
use super::clients::{OAuthClient, hold, recognise};
use super::failure::Fault;
use super::{ACCESS_LIFETIME, answer, is_by, task};
use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};
use crate::standing::Standing;

/// What shows that the client is the one that asked.
#[derive(Clone, Copy)]
pub(super) struct Proof<'a> {
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) verifier: Option<&'a str>,
    /// The agent's own token, if the code is for a task.
    pub(super) subject_token: Option<&'a Secret>,
    pub(super) key: Option<&'a Thumbprint>,
}

/// Gives tokens for a code. The first attempt uses the code up, whether or not it succeeds; a second one ends what
/// the first was given.
pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    code: &Secret,
    proof: Proof<'_>,
) -> Result<TokenAnswer, Fault> {
    let mut tx = ctx.begin().await?;
    let client = recognise(ctx, &mut tx, said).await?;
    let mut found = None;
    for hash in hashes(ctx.app(), code)? {
        if let Some(stored) = forge_store::oauth::authorization_codes::find(&mut tx, &hash).await? {
            found = Some((hash, stored));
        }
    }
    let (hash, stored) = found.ok_or_else(OAuthError::invalid_grant)?;
    hold(&mut tx, &client).await?;
    let standing = Standing::of_account(&mut tx, stored.account_id).await?;
    if !forge_store::oauth::authorization_codes::consume(&mut tx, &hash, ctx.now()).await? {
        replayed(ctx, tx, &stored).await?;
        return Err(OAuthError::invalid_grant().into());
    }
    let account = forge_store::accounts::find(&mut tx, stored.account_id).await?;
    let account = account.filter(|_| is_proved(ctx, &client, &stored, proof));
    if let (Some(agent), Some(grant), true) = (stored.agent_id, &stored.grant_id, account.is_some()) {
        tx.commit().await.map_err(Error::from)?;
        return task::give(ctx, agent, grant, proof.subject_token, proof.key).await;
    }
    match standing.zip(account) {
        Some((standing, account)) => give(ctx, tx, &standing, &client, &stored, &account, proof.key).await,
        None => {
            tx.commit().await.map_err(Error::from)?;
            Err(OAuthError::invalid_grant().into())
        }
    }
}

fn is_proved(ctx: &RequestContext, client: &OAuthClient, code: &AuthorizationCode, proof: Proof<'_>) -> bool {
    client.client_id == code.client_id
        && ctx.now() < code.expires_at
        && proof.redirect_uri == Some(code.redirect_uri.as_str())
        && proof.verifier.is_some_and(|verifier| verifies(verifier, &code.challenge))
        && is_by(code.dpop_jkt.as_deref(), proof.key)
}

async fn replayed(ctx: &RequestContext, mut tx: Tx, code: &AuthorizationCode) -> Result<(), Fault> {
    let reason = "its authorization code was used twice";
    let revoked = forge_store::credentials::revoke_family(&mut tx, &code.family, reason, ctx.now()).await?;
    if let Some(grant) = &code.grant_id {
        forge_store::grants::revoke(&mut tx, Ended::Grant(grant), reason, ctx.now()).await?;
    }
    let event = Event::new("authorization_code.replayed")
        .subject(code.account_id)
        .with("client_id", code.client_id.as_str())
        .with("revoked", revoked);
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await.map_err(Error::from)?)
}

async fn give(
    ctx: &RequestContext,
    mut tx: Tx,
    standing: &Standing,
    client: &OAuthClient,
    code: &AuthorizationCode,
    account: &Account,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let ctx = ctx.speaking_for(AccountRef::from(account));
    let new = |kind| NewToken {
        scopes: Some(code.scopes.clone()),
        client: Some(&client.client_id),
        family: Some(&code.family),
        ..NewToken::new(account.id, kind, &client.name)
    };
    let key = key.map(Thumbprint::to_string);
    let refresh =
        NewToken { cnf_jkt: key.clone().filter(|_| client.is_public), ..new(CredentialKind::Refresh) };
    let refresh = issue(&ctx, &mut tx, standing, refresh).await?;
    let expires_at = Some(ctx.now().plus(ACCESS_LIFETIME));
    let access = NewToken { expires_at, cnf_jkt: key, ..new(CredentialKind::OAuth) };
    let access = issue(&ctx, &mut tx, standing, access).await?;
    let event = Event::new("authorization_code.exchanged").with("client_id", client.client_id.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(answer(ctx.now(), access, Some(refresh)))
}
