//! Exchanging a refresh token: each is good once, and a second use of one ends the whole family, since then two
//! parties hold it and nobody can tell which is the thief.

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{ClientAuthentication, OAuthCode, OAuthError, TokenAnswer};
use forge_auth::token::{Secret, recognise as recognise_token};
use forge_store::Tx;
use forge_types::account::{Account, AccountRef};
use forge_types::credential::{Credential, CredentialKind};
use forge_types::{Error, Event, Scopes};

use super::clients::{OAuthClient, hold, recognise};
use super::failure::Fault;
use super::{ACCESS_LIFETIME, answer, is_by};
use crate::app::key_fault;
use crate::context::RequestContext;
use crate::credentials::{NewToken, Parent, issue};
use crate::proof::certificate::is_shown;
use crate::standing::Standing;

/// Gives a new pair of tokens; the former pair is over.
pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    token: &Secret,
    scopes: Option<&Scopes>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    if recognise_token(&ctx.app().token_prefix, token.expose()) != Some(CredentialKind::Refresh) {
        return Err(OAuthError::invalid_grant().into());
    }
    let mut tx = ctx.begin().await?;
    let client = recognise(ctx, &mut tx, said).await?;
    let former = find(ctx, &mut tx, token).await?.ok_or_else(OAuthError::invalid_grant)?;
    let is_ours = former.client_id.as_deref() == Some(client.client_id.as_str());
    let is_over = former.expires_at.is_some_and(|expiry| ctx.now() >= expiry);
    if !is_ours || is_over || former.revoked_at.is_some() {
        return Err(OAuthError::invalid_grant().into());
    }
    if !is_by(former.cnf_jkt.as_deref(), key) {
        let message = "this token is bound to a key: send a proof by that key";
        return Err(OAuthError::new(OAuthCode::InvalidDpopProof, message).into());
    }
    if !is_shown(former.cnf_x5t.as_deref(), ctx.info()) {
        return Err(OAuthError::invalid_grant().into());
    }
    let held = former.scopes.clone().unwrap_or_default();
    if scopes.is_some_and(|asked| !held.includes(asked)) {
        return Err(OAuthError::new(OAuthCode::InvalidScope, "more than was consented to").into());
    }
    hold(&mut tx, &client).await?;
    let standing = Standing::of_account(&mut tx, former.account_id).await?;
    let standing = standing.ok_or_else(OAuthError::invalid_grant)?;
    let account = forge_store::accounts::find(&mut tx, former.account_id).await?;
    let account = account.ok_or_else(OAuthError::invalid_grant)?;
    if !forge_store::credentials::consume(&mut tx, former.id, ctx.now()).await? {
        reused(ctx, tx, &former).await?;
        return Err(OAuthError::invalid_grant().into());
    }
    let scopes = scopes.cloned().unwrap_or(held);
    let key = key.map(Thumbprint::to_string);
    rotate(ctx, tx, &standing, &client, &account, &former, Renewed { scopes, key }).await
}

async fn find(ctx: &RequestContext, tx: &mut Tx, token: &Secret) -> Result<Option<Credential>, Fault> {
    let keys = &ctx.app().keys;
    for hash in keys.candidate_hashes("credential", token.expose().as_bytes()).map_err(key_fault)? {
        if let Some(found) = forge_store::credentials::find_by_hash(tx, &hash).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn reused(ctx: &RequestContext, mut tx: Tx, former: &Credential) -> Result<(), Fault> {
    let reason = "its refresh token was used twice";
    let revoked = forge_store::credentials::revoke_family(&mut tx, &former.family, reason, ctx.now()).await?;
    let event = Event::new("refresh_token.reused")
        .subject(former.account_id)
        .with("credential_id", former.id.0)
        .with("client_id", former.client_id.as_deref().unwrap_or_default())
        .with("revoked", revoked);
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await.map_err(Error::from)?)
}

/// What the next access token is limited and bound to.
struct Renewed {
    scopes: Scopes,
    key: Option<String>,
}

async fn rotate(
    ctx: &RequestContext,
    mut tx: Tx,
    standing: &Standing,
    client: &OAuthClient,
    account: &Account,
    former: &Credential,
    renewed: Renewed,
) -> Result<TokenAnswer, Fault> {
    let ctx = ctx.speaking_for(AccountRef::from(account));
    let (now, reason) = (ctx.now(), "it was refreshed");
    let family = former.family.as_str();
    forge_store::credentials::revoke_family_of_kind(&mut tx, family, CredentialKind::OAuth, reason, now)
        .await?;
    let new = |kind| NewToken {
        client: Some(&client.client_id),
        family: Some(family),
        renewable_until: former.renewable_until,
        ..NewToken::new(account.id, kind, &client.name)
    };
    let parent = Parent { expires_at: None, ..Parent::from(former) };
    let refresh = NewToken {
        scopes: former.scopes.clone(),
        parent: Some(parent),
        cnf_jkt: renewed.key.clone().filter(|_| client.is_public),
        ..new(CredentialKind::Refresh)
    };
    let refresh = issue(&ctx, &mut tx, standing, refresh).await?;
    let latest = now.plus(ACCESS_LIFETIME);
    let access = NewToken {
        scopes: Some(renewed.scopes),
        cnf_jkt: renewed.key,
        parent: Some(Parent::from(&refresh.1)),
        expires_at: Some(former.renewable_until.map_or(latest, |until| until.min(latest))),
        ..new(CredentialKind::OAuth)
    };
    let access = issue(&ctx, &mut tx, standing, access).await?;
    let event = Event::new("refresh_token.exchanged")
        .with("credential_id", former.id.0)
        .with("client_id", client.client_id.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(answer(now, access, Some(refresh)))
}
