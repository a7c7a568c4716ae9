//! Secrets: random text for those that live as long as the process, and files with those of operators.

use std::path::Path;

use crate::failure::{Failure, Result};

/// Returns 32 random bytes as text that needs no quoting in a URL or a shell.
pub(crate) fn random_text() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::io("no randomness", error))?;
    Ok(data_encoding::BASE64URL_NOPAD.encode(&bytes))
}

/// Reads what an operator has put into a file.
pub(crate) fn read(what: &str, file: &Path) -> Result<String> {
    let place = format_args!("{what} `{}`", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io(place, error))?;
    Ok(text.trim().to_owned())
}

/// Compares two texts in a time that depends only on their lengths.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(left, right).into()
}
