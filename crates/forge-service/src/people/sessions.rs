//! Browser sessions: opened by signing in, found by the hash of their cookie, ended by signing out.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::web_sessions::NewWebSession;
use forge_types::account::Account;
use forge_types::{Error, Event, Result, Timestamp};

use crate::app::{App, key_fault};
use crate::context::RequestContext;
use crate::standing::Standing;

/// How long a session lasts.
pub const LIFETIME: Duration = Duration::from_secs(14 * 24 * 3600);

/// How long after signing in a person may do what takes being present.
pub const FRESHNESS: Duration = Duration::from_secs(30 * 60);

/// How long after signing in a person may replace what an agent proves itself with.
pub const CONFIRMATION: Duration = Duration::from_secs(5 * 60);

const PURPOSE: &str = "web session";

/// A session that has just been opened. The cookie exists here and in the browser.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The value of the cookie.
    pub cookie: Secret,
    /// When the session stops.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub account: Account,
}

/// Opens a session for a person who has just proved to be `account`; the browser's former session ends.
pub(crate) async fn open(
    ctx: &RequestContext,
    tx: &mut Tx,
    account: Account,
    method: &'static str,
) -> Result<SignedIn> {
    if Standing::of_account(tx, account.id).await?.is_none() {
        return Err(Error::bad_credentials());
    }
    let (app, now) = (ctx.app(), ctx.now());
    if let Some(former) = &ctx.caller().session {
        forge_store::web_sessions::revoke(tx, former.id, now).await?;
    }
    let cookie = Secret::new(app.random_text(43));
    let expires_at = now.plus(LIFETIME);
    let row = NewWebSession {
        hash: app.keys.hash_for(PURPOSE, cookie.expose().as_bytes()).map_err(key_fault)?,
        account_id: account.id,
        expires_at,
        ip: ctx.info().ip.as_deref(),
        user_agent: ctx.info().user_agent.as_deref(),
    };
    let id = forge_store::web_sessions::insert(tx, &row, now).await?;
    let event = Event::new("session.opened").with("method", method).with("session_id", id.0);
    ctx.speaking_for((&account).into()).record(tx, event).await?;
    Ok(SignedIn { cookie, expires_at, account })
}

/// Returns the hashes under which the session of `cookie` may be kept.
pub(crate) fn hashes(app: &App, cookie: &Secret) -> Result<Vec<[u8; 32]>> {
    app.keys.candidate_hashes(PURPOSE, cookie.expose().as_bytes()).map_err(key_fault)
}

/// Ends the session of this request. Without one, nothing happens.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn sign_out(ctx: &RequestContext) -> Result<()> {
    let Some(session) = &ctx.caller().session else { return Ok(()) };
    let mut tx = ctx.begin().await?;
    if forge_store::web_sessions::revoke(&mut tx, session.id, ctx.now()).await? {
        ctx.record(&mut tx, Event::new("session.closed").with("session_id", session.id.0)).await?;
    }
    Ok(tx.commit().await?)
}
