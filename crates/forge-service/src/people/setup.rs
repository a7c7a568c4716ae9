//! The first administrator: created once, through a one-time link that dies as soon as an administrator exists.

use forge_auth::token::Secret;
use forge_store::passwords::LinkPurpose;
use forge_store::{Conn, Tx};
use forge_types::{Action, Error, Event, Result};
use url::Url;

use super::accounts::NewPerson;
use super::sessions::{SignedIn, open};
use super::{accounts, links, password};
use crate::context::RequestContext;
use crate::target::Site;

/// What the first administrator is made of.
#[derive(Clone)]
pub struct Administrator {
    /// The login.
    pub login: String,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// Makes a link with which the first administrator is created; former ones die.
///
/// # Errors
/// `Conflict` if an administrator exists; `Forbidden` unless asked by the operator.
pub async fn create_link(ctx: &RequestContext) -> Result<Url> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    if forge_store::accounts::site_admin_exists(&mut tx).await? {
        return Err(Error::conflict("an administrator exists; set-up is over"));
    }
    let url = insert_link(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(url)
}

/// Makes the link within `tx`.
pub(crate) async fn insert_link(ctx: &RequestContext, tx: &mut Tx) -> Result<Url> {
    forge_store::passwords::consume_links(tx, LinkPurpose::Setup, None, ctx.now()).await?;
    let secret = links::insert(ctx, tx, LinkPurpose::Setup, None).await?;
    ctx.record(tx, Event::new("setup_link.created")).await?;
    links::url(ctx.app(), "setup", &secret)
}

/// Checks that the link can be used.
///
/// # Errors
/// `NotFound` if it was used, is over, never was, or an administrator exists.
pub async fn check_link(ctx: &RequestContext, secret: &Secret) -> Result<()> {
    let mut conn = ctx.read().await?;
    usable(ctx, &mut conn, secret).await
}

async fn usable(ctx: &RequestContext, conn: &mut Conn, secret: &Secret) -> Result<()> {
    if forge_store::accounts::site_admin_exists(conn).await? {
        return Err(Error::not_found());
    }
    for hash in links::hashes(ctx.app(), secret)? {
        if forge_store::passwords::find_link(conn, &hash, LinkPurpose::Setup, ctx.now()).await?.is_some() {
            return Ok(());
        }
    }
    Err(Error::not_found())
}

/// Creates the first administrator and signs them in.
///
/// # Errors
/// `NotFound` if the link cannot be used any more; `Invalid` for a field, and the link stays good.
pub async fn create_administrator(
    ctx: &RequestContext,
    secret: &Secret,
    new: &Administrator,
) -> Result<SignedIn> {
    check_link(ctx, secret).await?;
    let person = NewPerson {
        login: new.login.clone(),
        name: None,
        email: Some(new.email.clone()),
        is_site_admin: true,
    };
    accounts::check(&person)?;
    password::check(&new.password, &new.login)?;
    let hash = password::hash(ctx.app(), &new.password).await?;
    let now = ctx.now();
    let mut tx = ctx.begin().await?;
    usable(ctx, &mut tx, secret).await?;
    // INVARIANT: whoever uses up a link uses up all, so that of two people with two links one comes too late.
    if forge_store::passwords::consume_links(&mut tx, LinkPurpose::Setup, None, now).await? == 0 {
        return Err(Error::not_found());
    }
    let account = accounts::create(ctx, &mut tx, &person).await?;
    forge_store::passwords::upsert(&mut tx, account.id, &hash, now).await?;
    let signed_in = open(ctx, &mut tx, account, "setup link").await?;
    tx.commit().await?;
    Ok(signed_in)
}
