//! Choosing a password.

use forge_auth::password::{MAX_LENGTH, MIN_LENGTH, PasswordError};
use forge_types::{Error, FieldCode, Result};

use crate::app::App;

/// Checks a password that somebody chooses.
///
/// # Errors
/// `Invalid` with the field `password`.
pub(crate) fn check(password: &str, login: &str) -> Result<()> {
    let refuse = |message: String| Err(Error::invalid("User", "password", FieldCode::Invalid, message));
    if password.chars().count() < MIN_LENGTH {
        return refuse(format!("password must have at least {MIN_LENGTH} characters"));
    }
    if password.len() > MAX_LENGTH {
        return refuse(format!("password must have at most {MAX_LENGTH} bytes"));
    }
    let first = password.chars().next();
    if password.chars().all(|character| Some(character) == first) || password.eq_ignore_ascii_case(login) {
        return refuse("password is too easy to guess".to_owned());
    }
    Ok(())
}

/// Returns the hash to store.
///
/// # Errors
/// `Unavailable` if too many passwords are being hashed.
pub(crate) async fn hash(app: &App, password: &str) -> Result<String> {
    let mut salt = [0_u8; 16];
    app.random.fill(&mut salt);
    app.passwords.hash(password.to_owned(), salt).await.map_err(fault)
}

/// Turns a fault of hashing into what the caller is told.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn fault(error: PasswordError) -> Error {
    match error {
        PasswordError::Busy => Error::unavailable(std::time::Duration::from_secs(2)),
        PasswordError::Internal => Error::internal("password hashing failed"),
    }
}
