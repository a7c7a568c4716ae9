//! Authenticator apps: setting one up, asking for its codes, taking it away.
//!
//! An app counts once its owner has shown a code of it. From then on a password alone opens no session, and a code is as good
//! as the password where a session is to be confirmed. Codes are used once; attempts are limited with those at passwords.

use forge_auth::token::Secret;
use forge_auth::totp::{SEED, Seed};
use forge_store::Tx;
use forge_store::second_factors::{self as store, SecondFactor};
use forge_types::id::AccountId;
use forge_types::{Action, Error, Event, FieldCode, Result, Timestamp};

use crate::app::{App, key_fault};
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::{OwnAccount, Site};

/// How many codes there are for whoever loses the app.
const RECOVERY_CODES: usize = 8;

/// Letters and digits of each: about 60 bits.
const RECOVERY_LENGTH: usize = 12;

const SEALED_FOR: &str = "second factor";
const HASHED_FOR: &str = "recovery code";

/// What an app is told, once.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The seed, to be typed.
    pub text: Secret,
    /// The address with everything, to be read from a picture.
    pub uri: Secret,
}

/// What somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Since when an app counts; none if there is none.
    pub since: Option<Timestamp>,
    /// How many codes for whoever loses it are left.
    pub recovery_codes: i64,
}

/// Returns what the caller has.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn protection(ctx: &RequestContext) -> Result<Protection> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::AccountReadPrivate).await?;
    let found = store::find(&mut conn, own.id).await?;
    let recovery_codes = store::count_recovery_codes(&mut conn, own.id).await?;
    Ok(Protection { since: found.and_then(|factor| factor.confirmed_at), recovery_codes })
}

/// Begins to set up an app, which counts only once [`confirm`] has seen a code of it.
///
/// # Errors
/// `Forbidden` unless the caller is a person who has just confirmed to be there; `Conflict` if there is an app.
pub async fn begin(ctx: &RequestContext) -> Result<Enrolment> {
    let (mut tx, account) = own(ctx).await?;
    let mut bytes = [0; SEED];
    ctx.app().random.fill(&mut bytes);
    let seed = Seed::new(bytes);
    let draw = |buffer: &mut [u8]| ctx.app().random.fill(buffer);
    let sealed = ctx.app().keys.seal(SEALED_FOR, seed.as_bytes(), draw).map_err(key_fault)?;
    if !store::begin(&mut tx, account, &sealed, ctx.now()).await? {
        return Err(Error::conflict("an authenticator app is set up already: remove it first"));
    }
    tx.commit().await?;
    let issuer = ctx.settings().people_origin.host_str().unwrap_or("forge").to_owned();
    let uri = seed.to_uri(&issuer, &ctx.account()?.login);
    Ok(Enrolment { text: Secret::new(seed.to_text()), uri: Secret::new(uri) })
}

/// Makes the app count, and returns the codes for whoever loses it, which are shown once.
///
/// # Errors
/// As [`begin`]; `Invalid` if the code is wrong.
pub async fn confirm(ctx: &RequestContext, code: &str) -> Result<Vec<Secret>> {
    let (mut tx, account) = own(ctx).await?;
    let found = store::find(&mut tx, account).await?.filter(|factor| factor.confirmed_at.is_none());
    let found = found.ok_or_else(|| Error::conflict("no authenticator app is being set up"))?;
    if !use_code(ctx, &mut tx, account, &found, code).await? {
        return Err(wrong());
    }
    let codes: Vec<Secret> =
        (0..RECOVERY_CODES).map(|_| Secret::new(ctx.app().random_text(RECOVERY_LENGTH))).collect();
    let hashes = codes.iter().map(|code| hash(ctx.app(), code.expose())).collect::<Result<Vec<_>>>()?;
    store::confirm(&mut tx, account, &hashes, ctx.now()).await?;
    ctx.record(&mut tx, Event::new("second_factor.added")).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Takes the app away, with its codes.
///
/// # Errors
/// `Forbidden` unless the caller is a person who has just confirmed to be there; `NotFound` if there is no app.
pub async fn remove(ctx: &RequestContext) -> Result<()> {
    let (mut tx, account) = own(ctx).await?;
    if !store::delete(&mut tx, account).await? {
        return Err(Error::not_found());
    }
    ctx.record(&mut tx, Event::new("second_factor.removed")).await?;
    Ok(tx.commit().await?)
}

/// Takes the app of a person away who lost it and the codes.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `NotFound` if there is no such person; `Conflict` without an app.
pub async fn remove_for(ctx: &RequestContext, login: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?.ok_or_else(Error::not_found)?;
    if !store::delete(&mut tx, account.id).await? {
        return Err(Error::conflict(format!("`{}` has no authenticator app", account.login)));
    }
    ctx.record(&mut tx, Event::new("second_factor.removed").subject(account.id)).await?;
    Ok(tx.commit().await?)
}

/// Whoever could put an app of their own before an account, or take one away, owns it.
async fn own(ctx: &RequestContext) -> Result<(Tx, AccountId)> {
    let mut tx = ctx.begin().await?;
    let own = ctx.authorize(&mut tx, OwnAccount, Action::SecondFactorManage).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    Ok((tx, own.id))
}

/// Returns whether signing in to an account takes a code.
pub(super) async fn is_needed(tx: &mut Tx, account: AccountId) -> Result<bool> {
    Ok(store::find(tx, account).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// Uses up a code of the account's app, or one for whoever lost it; false if it is neither.
pub(super) async fn accept(
    ctx: &RequestContext,
    tx: &mut Tx,
    account: AccountId,
    code: &str,
) -> Result<bool> {
    let Some(found) = store::find(tx, account).await?.filter(|factor| factor.confirmed_at.is_some()) else {
        return Ok(false);
    };
    if use_code(ctx, tx, account, &found, code).await? {
        return Ok(true);
    }
    for hash in ctx.app().keys.candidate_hashes(HASHED_FOR, code.trim().as_bytes()).map_err(key_fault)? {
        if store::use_recovery_code(tx, account, &hash, ctx.now()).await? {
            ctx.record(tx, Event::new("second_factor.recovery_code_used").subject(account)).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

async fn use_code(
    ctx: &RequestContext,
    tx: &mut Tx,
    account: AccountId,
    factor: &SecondFactor,
    code: &str,
) -> Result<bool> {
    let seed = ctx.app().keys.open(SEALED_FOR, &factor.seed).map_err(key_fault)?;
    let seed: [u8; SEED] =
        seed.try_into().map_err(|_| Error::internal("a sealed seed has another length"))?;
    match Seed::new(seed).check(code, ctx.now(), factor.last_step) {
        Some(step) => Ok(store::use_step(tx, account, step).await?),
        None => Ok(false),
    }
}

fn hash(app: &App, code: &str) -> Result<[u8; 32]> {
    app.keys.hash_for(HASHED_FOR, code.as_bytes()).map_err(key_fault)
}

pub(super) fn wrong() -> Error {
    Error::invalid("User", "code", FieldCode::Invalid, "the code is wrong, or was used already")
}

pub(super) fn missing() -> Error {
    let message = "this account takes a code of your authenticator app as well";
    Error::invalid("User", "code", FieldCode::MissingField, message)
}
