//! Tokens that bind a form to the browser it was shown in: a keyed hash of the browser's cookie, so nothing is stored
//! and a form of one session is worthless in another.

use data_encoding::BASE64URL_NOPAD;
use forge_auth::token::Secret;
use forge_types::Result;

use crate::app::{App, key_fault};

const PURPOSE: &str = "form";

/// Returns the token for forms shown to the browser that holds `cookie`.
///
/// # Errors
/// `Internal` if the keys are at fault.
pub fn token(app: &App, cookie: &Secret) -> Result<Secret> {
    let hash = app.keys.hash_for(PURPOSE, cookie.expose().as_bytes()).map_err(key_fault)?;
    Ok(Secret::new(BASE64URL_NOPAD.encode(&hash)))
}

/// Returns whether `presented` is the token of the browser that holds `cookie`.
///
/// # Errors
/// `Internal` if the keys are at fault.
pub fn is_valid(app: &App, cookie: &Secret, presented: &Secret) -> Result<bool> {
    let hashes = app.keys.candidate_hashes(PURPOSE, cookie.expose().as_bytes()).map_err(key_fault)?;
    Ok(hashes.iter().any(|hash| Secret::new(BASE64URL_NOPAD.encode(hash)).matches(presented)))
}

/// Returns the value of a cookie for a browser that is not signed in.
#[must_use]
pub fn new_cookie(app: &App) -> Secret {
    Secret::new(app.random_text(43))
}
