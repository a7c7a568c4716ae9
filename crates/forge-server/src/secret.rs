//! Random text for secrets that live as long as the process.

use crate::failure::{Failure, Result};

/// Returns 32 random bytes as text that needs no quoting in a URL or a shell.
pub(crate) fn random_text() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::io("no randomness", error))?;
    Ok(data_encoding::BASE64URL_NOPAD.encode(&bytes))
}

/// Compares two texts in a time that depends only on their lengths.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(left, right).into()
}
