//! The one place of this crate that reads the clock: certificates need the time before any request exists.

use time::OffsetDateTime;

/// Returns the time now.
#[expect(clippy::disallowed_methods, reason = "certificates are issued outside of requests")]
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
