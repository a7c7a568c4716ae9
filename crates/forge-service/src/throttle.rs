//! Slowing down whoever tries too often, on all nodes alike. What is counted is kept as a keyed hash, since people
//! type passwords where logins belong.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use forge_store::Tx;
use forge_store::throttles::Throttle;
use forge_types::{Error, ErrorKind, Result};

use crate::app::key_fault;
use crate::context::RequestContext;

/// How often something may be tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// What is limited.
    pub(crate) name: &'static str,
    /// How many attempts a window has.
    pub(crate) attempts: i64,
    /// How long a window is.
    pub(crate) window: Duration,
}

/// Counts an attempt by or on `subject`; returns how many the present window has now seen.
///
/// # Errors
/// `RateLimited` if there were too many. The count stands only if the transaction commits.
pub(crate) async fn count(
    ctx: &RequestContext,
    tx: &mut Tx,
    limit: Limit,
    subject: &str,
) -> Result<std::result::Result<i64, Error>> {
    let name = name(ctx, limit, subject)?;
    let seen = forge_store::throttles::count_attempt(tx, &name, limit.window, ctx.now()).await?;
    Ok(if seen.attempts > limit.attempts { Err(exceeded(ctx, limit, seen)) } else { Ok(seen.attempts) })
}

/// Forgets the attempts by or on `subject`.
///
/// # Errors
/// `Unavailable` if the database is.
pub(crate) async fn forget(ctx: &RequestContext, tx: &mut Tx, limit: Limit, subject: &str) -> Result<()> {
    let name = name(ctx, limit, subject)?;
    Ok(forge_store::throttles::delete(tx, &name).await?)
}

fn name(ctx: &RequestContext, limit: Limit, subject: &str) -> Result<String> {
    let hash = ctx.app().keys.hash_for("throttle", subject.as_bytes()).map_err(key_fault)?;
    Ok(format!("{}:{}", limit.name, BASE64URL_NOPAD.encode(&hash[..16])))
}

fn exceeded(ctx: &RequestContext, limit: Limit, seen: Throttle) -> Error {
    let wait = seen.window_start.plus(limit.window).since(ctx.now()).max(Duration::from_secs(1));
    let minutes = wait.as_secs().div_ceil(60);
    let message = format!("too many attempts, try again in {minutes} minutes");
    Error::new(ErrorKind::RateLimited(wait), message)
}
