//! Nonces: the keyed hash of the present five minutes. All nodes give the same one and remember none.
//!
//! A proof that must repeat one cannot have been made long before, whatever the clock of its maker said.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use forge_types::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::keys::{KeyError, Keys};

/// How long one nonce is given out. It is accepted for as long again.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// Whose nonce it is; that of one is of no use at the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The token endpoint.
    TokenEndpoint,
    /// What tokens open.
    Resources,
}

impl Audience {
    const fn purpose(self) -> &'static str {
        match self {
            Self::TokenEndpoint => "proof nonce of the token endpoint",
            Self::Resources => "proof nonce of resources",
        }
    }
}

/// Returns the nonce to give out now.
///
/// # Errors
/// `Malformed` if the keys were never checked.
pub fn current_nonce(keys: &Keys, audience: Audience, now: Timestamp) -> Result<String, KeyError> {
    keys.hash_for(audience.purpose(), &period(now).to_be_bytes()).map(|hash| written(&hash))
}

/// Returns whether a nonce was given out now or in the five minutes before, with a present key or a former one.
///
/// # Errors
/// `Malformed` if the keys were never checked.
pub fn is_recent_nonce(
    keys: &Keys,
    audience: Audience,
    now: Timestamp,
    nonce: &str,
) -> Result<bool, KeyError> {
    let mut is_recent = false;
    for period in [period(now), period(now) - 1] {
        for hash in keys.candidate_hashes(audience.purpose(), &period.to_be_bytes())? {
            is_recent |= bool::from(written(&hash).as_bytes().ct_eq(nonce.as_bytes()));
        }
    }
    Ok(is_recent)
}

const fn period(now: Timestamp) -> i64 {
    now.as_seconds().div_euclid(NONCE_LIFETIME.as_secs() as i64)
}

fn written(hash: &[u8; 32]) -> String {
    BASE64URL_NOPAD.encode(&hash[..18])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> Keys {
        Keys::generate(move |buffer| buffer.fill(seed))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a55_a_nonce_is_good_for_five_to_ten_minutes_at_its_own_server_alone() {
        let (ours, begin) = (keys(1), at(3_000));
        let nonce = current_nonce(&ours, Audience::Resources, begin).expect("a nonce");
        let accepted = |keys: &Keys, audience, seconds| {
            is_recent_nonce(keys, audience, at(seconds), &nonce).expect("whole keys")
        };
        assert!(accepted(&ours, Audience::Resources, 3_000));
        assert!(accepted(&ours, Audience::Resources, 3_599));
        assert!(!accepted(&ours, Audience::Resources, 3_600));
        assert!(!accepted(&ours, Audience::Resources, 2_999));
        assert!(!accepted(&ours, Audience::TokenEndpoint, 3_000));
        assert!(!accepted(&keys(2), Audience::Resources, 3_000));
        assert!(!is_recent_nonce(&ours, Audience::Resources, begin, "").expect("whole keys"));
    }
}
