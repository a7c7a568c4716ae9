//! Why something was stopped or ended, in the words of whoever did it.

use forge_types::{Error, FieldCode, Result};

/// The longest reason, in characters.
const LONGEST: usize = 500;

/// Returns a reason without the space around it.
///
/// # Errors
/// `Invalid` unless it is one line of 1 to 500 characters.
pub(crate) fn check<'r>(resource: &'static str, reason: &'r str) -> Result<&'r str> {
    let reason = reason.trim();
    if (1..=LONGEST).contains(&reason.chars().count()) && !reason.chars().any(char::is_control) {
        return Ok(reason);
    }
    let message = "reason must be one line of 1 to 500 characters";
    Err(Error::invalid(resource, "reason", FieldCode::Invalid, message))
}
