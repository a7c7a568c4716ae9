//! Slowing down whoever tries too often, on all nodes alike. What is counted is kept as a keyed hash, since people
//! type passwords where logins belong.

use std::net::IpAddr;
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

/// Returns what counts as one address of whoever sends a request; "unknown" where that is not known.
pub(crate) fn address(ctx: &RequestContext) -> String {
    ctx.info().ip.as_deref().map_or_else(|| "unknown".to_owned(), neighbourhood)
}

/// Returns what counts as one address: for IPv6 the network of 64 bits that one subscriber has.
pub(crate) fn neighbourhood(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let network = address.octets();
            network[..8].iter().map(|byte| format!("{byte:02x}")).collect()
        }
        Ok(address @ IpAddr::V4(_)) => address.to_string(),
        Err(_) => ip.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_subscriber_count_as_one() {
        assert_eq!(neighbourhood("2001:db8:1:2::1"), neighbourhood("2001:db8:1:2:ffff::9"));
        assert_ne!(neighbourhood("2001:db8:1:2::1"), neighbourhood("2001:db8:1:3::1"));
        assert_eq!(neighbourhood("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
