//! Signed JSON objects (JOSE), as much of it as proofs of possession and what others sign take: public keys and their
//! thumbprints, compact signatures, ES256 and Ed25519; and sets of keys of others, with RS256.
//!
//! Reading is strict, since every leniency has been somebody's hole: one form of base64, no member twice, no algorithm
//! that is not listed, no `crit`, no key that tells its private part. Nothing is fetched: `kid`, `jku` and `x5u` name
//! keys in words of whoever signs, and are not followed.
//! INVARIANT: the key says which algorithm verifies; what a header says has only to agree.

mod jwk;
mod jws;
mod key_set;
mod object;
mod sign;

pub use jwk::{Jwk, Thumbprint};
pub use jws::Jws;
pub use key_set::{ISSUER_ALGORITHMS, KeySet};
pub use sign::{SigningKey, SigningKeyError};

use data_encoding::BASE64URL_NOPAD;

/// The algorithms as they are announced. `Ed25519` (RFC 9864) is another name of the second and is taken too.
pub const ALGORITHMS: [&str; 2] = ["ES256", "EdDSA"];

/// Why something is no signed object of ours, for whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// Reads base64url without padding, of which there is one form for every value.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
