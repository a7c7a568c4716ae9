//! Bytes of files in bodies: base64 as clients write it, with line breaks and without padding, too.

use data_encoding::{Encoding, Specification};
use forge_types::{Error, FieldCode};

/// The largest body that brings a file: some 40 MB of it.
pub(crate) const MAX_BODY: usize = 55 * 1024 * 1024;

/// Decodes a field of a body.
pub(crate) fn decode(resource: &'static str, field: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    let invalid =
        || Error::invalid(resource, field, FieldCode::Invalid, format!("{field} is not valid Base64"));
    let encoding = lenient().ok_or_else(invalid)?;
    encoding.decode(text.trim_end_matches(['=', '\n', '\r', ' ']).as_bytes()).map_err(|_| invalid())
}

fn lenient() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    specification.ignore.push_str("\r\n\t ");
    specification.check_trailing_bits = false;
    specification.encoding().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_clients_write_it() {
        for text in ["aGVsbG8K", "aGVs\nbG8K\n", "aGVsbG8", "aGVsbG8=", "aGVs bG8="] {
            assert!(decode("Blob", "content", text).unwrap().starts_with(b"hello"), "{text}");
        }
        assert_eq!(decode("Blob", "content", "").unwrap(), b"");
        for text in ["a", "a-_b", "aGVs=bG8K", "é"] {
            assert!(decode("Blob", "content", text).is_err(), "{text}");
        }
    }
}
