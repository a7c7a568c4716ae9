//! What a browser carries for us while it is elsewhere: sealed, so that it can neither be read nor made up, and over
//! after a few minutes.

use std::time::Duration;

use forge_types::{Error, Result, Timestamp};

use crate::app::App;

const PURPOSE: &str = "handoff";
const LIFETIME: Duration = Duration::from_secs(600);

/// Seals `text` for a browser to bring back.
///
/// # Errors
/// `Internal` if the keys are at fault.
pub fn seal(app: &App, text: &str) -> Result<String> {
    let until = app.now().plus(LIFETIME).as_seconds();
    let plain = format!("{until} {text}");
    app.keys.seal(PURPOSE, plain.as_bytes(), |buffer| app.random.fill(buffer)).map_err(Error::internal)
}

/// Returns what a browser has brought back; `None` if it is not ours or comes too late.
#[must_use]
pub fn open(app: &App, sealed: &str) -> Option<String> {
    let plain = String::from_utf8(app.keys.open(PURPOSE, sealed).ok()?).ok()?;
    let (until, text) = plain.split_once(' ')?;
    let until = Timestamp::from_seconds(until.parse().ok()?);
    (app.now() < until).then(|| text.to_owned())
}
