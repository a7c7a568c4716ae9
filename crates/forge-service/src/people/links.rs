//! One-time links with which people set a password.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::passwords::LinkPurpose;
use forge_types::account::Account;
use forge_types::{Error, Event, Result, Timestamp};
use url::Url;

use super::sessions::{SignedIn, open};
use crate::app::{App, key_fault};
use crate::context::RequestContext;
use crate::people::password;
use crate::standing::hold_to_end;

/// How long a link can be used.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3600);

const PURPOSE: &str = "account link";

/// Makes a link for setting the password of `account`; former links of that account die.
pub(crate) async fn create(ctx: &RequestContext, tx: &mut Tx, account: &Account) -> Result<Url> {
    forge_store::passwords::consume_links(tx, LinkPurpose::Password, Some(account.id), ctx.now()).await?;
    let secret = insert(ctx, tx, LinkPurpose::Password, Some(account)).await?;
    ctx.record(tx, Event::new("password_link.created").subject(account.id)).await?;
    url(ctx.app(), "password", &secret)
}

/// Inserts a link and returns its secret.
pub(crate) async fn insert(
    ctx: &RequestContext,
    tx: &mut Tx,
    purpose: LinkPurpose,
    account: Option<&Account>,
) -> Result<Secret> {
    let app = ctx.app();
    let secret = Secret::new(app.random_text(43));
    let hash = app.keys.hash_for(PURPOSE, secret.expose().as_bytes()).map_err(key_fault)?;
    let (now, account_id) = (ctx.now(), account.map(|account| account.id));
    forge_store::passwords::insert_link(tx, &hash, purpose, account_id, now, now.plus(LIFETIME)).await?;
    Ok(secret)
}

/// Returns the address a person opens.
pub(crate) fn url(app: &App, page: &str, secret: &Secret) -> Result<Url> {
    let mut url = app.settings.people_origin.clone();
    url.path_segments_mut()
        .map_err(|()| Error::internal("the public URL cannot have a path"))?
        .clear()
        .extend([page, secret.expose()]);
    Ok(url)
}

/// Returns the hashes under which the link of `secret` may be kept.
pub(crate) fn hashes(app: &App, secret: &Secret) -> Result<Vec<[u8; 32]>> {
    app.keys.candidate_hashes(PURPOSE, secret.expose().as_bytes()).map_err(key_fault)
}

/// Returns the account whose password the link sets.
///
/// # Errors
/// `NotFound` if the link was used, is over, or never was.
pub async fn account(ctx: &RequestContext, secret: &Secret) -> Result<Account> {
    let mut conn = ctx.read().await?;
    for hash in hashes(ctx.app(), secret)? {
        let found =
            forge_store::passwords::find_link(&mut conn, &hash, LinkPurpose::Password, ctx.now()).await?;
        if let Some(Some(id)) = found {
            return forge_store::accounts::find(&mut conn, id).await?.ok_or_else(Error::not_found);
        }
    }
    Err(Error::not_found())
}

/// Sets the password of the link's account and signs the person in. All other sessions of the account end, those as its
/// agents included, and consents that no program has used yet are void: somebody else may have given them.
///
/// # Errors
/// `NotFound` if the link cannot be used any more; `Invalid` if the password is too weak, and the link stays good.
pub async fn set_password(ctx: &RequestContext, secret: &Secret, chosen: &str) -> Result<SignedIn> {
    let account = account(ctx, secret).await?;
    password::check(chosen, &account.login)?;
    let hash = password::hash(ctx.app(), chosen).await?;
    let now = ctx.now();
    let mut tx = ctx.begin().await?;
    hold_to_end(&mut tx, account.id).await?;
    let mut consumed = None;
    for link in hashes(ctx.app(), secret)? {
        consumed =
            consumed
                .or(forge_store::passwords::consume_link(&mut tx, &link, LinkPurpose::Password, now).await?);
    }
    if consumed != Some(Some(account.id)) {
        return Err(Error::not_found());
    }
    forge_store::passwords::upsert(&mut tx, account.id, &hash, now).await?;
    end_sessions(&mut tx, &account, now).await?;
    ctx.speaking_for((&account).into()).record(&mut tx, Event::new("password.set")).await?;
    let signed_in = open(ctx, &mut tx, account, "password link").await?;
    tx.commit().await?;
    Ok(signed_in)
}

async fn end_sessions(tx: &mut Tx, account: &Account, now: Timestamp) -> Result<()> {
    let reason = "the human chose another password";
    forge_store::web_sessions::revoke_all(tx, account.id, now).await?;
    forge_store::credentials::revoke_switch_sessions_of_human(tx, account.id, reason, now).await?;
    forge_store::oauth::authorization_codes::consume_all(tx, account.id, now).await?;
    forge_store::oauth::device_codes::withdraw_all(tx, account.id, now).await?;
    Ok(())
}
