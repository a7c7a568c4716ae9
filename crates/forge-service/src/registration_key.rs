//! The key with which agents are registered. It is sealed, not hashed, because an administrator may have to read it
//! again; it is compared in constant time.

use forge_auth::token::{REGISTRATION_LETTER, Secret, mint_lettered};
use forge_store::{Conn, Tx};
use forge_types::{Action, Error, Event, Result};

use crate::app::key_fault;
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::Site;

const SETTING: &str = "registration_key";
const PURPOSE: &str = "registration key";

/// Returns the key, making it if there is none.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge.
pub async fn show(ctx: &RequestContext) -> Result<Secret> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let key = match find(ctx, &mut tx).await? {
        Some(key) => key,
        None => replace(ctx, &mut tx).await?,
    };
    ctx.record(&mut tx, Event::new("registration_key.shown")).await?;
    tx.commit().await?;
    Ok(key)
}

/// Replaces the key; the former one stops at once.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge.
pub async fn rotate(ctx: &RequestContext) -> Result<Secret> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let key = replace(ctx, &mut tx).await?;
    ctx.record(&mut tx, Event::new("registration_key.rotated").with("fingerprint", key.fingerprint()))
        .await?;
    tx.commit().await?;
    Ok(key)
}

/// Returns whether `presented` is the key. Whoever replaces it waits until the transaction ends.
///
/// # Errors
/// `Internal` if the stored key cannot be opened.
pub async fn matches(ctx: &RequestContext, tx: &mut Tx, presented: &Secret) -> Result<bool> {
    let sealed = forge_store::settings::find_and_hold(tx, SETTING).await?;
    let key = sealed.map(|sealed| open(ctx, &sealed)).transpose()?;
    Ok(key.is_some_and(|key| key.matches(presented)))
}

/// Makes the key if there is none; returns it only then.
pub(crate) async fn create_if_absent(ctx: &RequestContext, tx: &mut Tx) -> Result<Option<Secret>> {
    let key = mint(ctx);
    let sealed = seal(ctx, &key)?;
    let is_new = forge_store::settings::insert_if_absent(tx, SETTING, &sealed, ctx.now()).await?;
    Ok(is_new.then_some(key))
}

pub(crate) async fn find(ctx: &RequestContext, conn: &mut Conn) -> Result<Option<Secret>> {
    let sealed = forge_store::settings::find(conn, SETTING).await?;
    sealed.map(|sealed| open(ctx, &sealed)).transpose()
}

fn open(ctx: &RequestContext, sealed: &str) -> Result<Secret> {
    let plain = ctx.app().keys.open(PURPOSE, sealed).map_err(key_fault)?;
    Ok(Secret::new(String::from_utf8(plain).map_err(Error::internal)?))
}

async fn replace(ctx: &RequestContext, tx: &mut Tx) -> Result<Secret> {
    let key = mint(ctx);
    let sealed = seal(ctx, &key)?;
    forge_store::settings::upsert(tx, SETTING, &sealed, ctx.now()).await?;
    Ok(key)
}

fn mint(ctx: &RequestContext) -> Secret {
    let app = ctx.app();
    mint_lettered(&app.token_prefix, REGISTRATION_LETTER, |buffer| app.random.fill(buffer))
}

fn seal(ctx: &RequestContext, key: &Secret) -> Result<String> {
    let app = ctx.app();
    app.keys.seal(PURPOSE, key.expose().as_bytes(), |buffer| app.random.fill(buffer)).map_err(key_fault)
}
