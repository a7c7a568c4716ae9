//! A message that the next page shows once, kept in a cookie meanwhile.

use std::time::Duration;

use axum::http::HeaderMap;
use forge_service::Settings;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::cookies::Cookie;

const LIFETIME: Duration = Duration::from_secs(60);
const LONGEST: usize = 300;

/// Leaves a message for the next page.
pub(crate) fn leave(settings: &Settings, headers: &mut HeaderMap, message: &str) {
    let message: String = message.chars().take(LONGEST).collect();
    let value = utf8_percent_encode(&message, NON_ALPHANUMERIC).to_string();
    Cookie::Flash.set(settings, headers, &value, LIFETIME);
}

/// Returns the message that the page before left.
pub(crate) fn find(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    let value = Cookie::Flash.find(settings, headers)?;
    let message = percent_decode_str(&value).decode_utf8().ok()?;
    Some(message.chars().filter(|character| !character.is_control()).take(LONGEST).collect())
}
