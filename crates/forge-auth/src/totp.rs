//! One-time passwords by time (RFC 6238, over RFC 4226): six digits of HMAC-SHA-1, a new one every thirty seconds, as all
//! authenticator apps make them.
//!
//! INVARIANT: a code is accepted once. Whoever checks one keeps the step it was of, and gives it to the next check.

use data_encoding::BASE32_NOPAD;
use forge_types::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

/// The length of a seed in bytes: that of SHA-1's output (RFC 4226 §4, R6).
pub const SEED: usize = 20;

/// How long a code is shown, in seconds (RFC 6238 §5.2).
const STEP: i64 = 30;

/// How many codes before and after the present one are accepted: clocks differ (RFC 6238 §5.2).
const DRIFT: i64 = 1;

/// What stands for itself in an address (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an authenticator app and the forge share.
#[derive(Clone)]
pub struct Seed([u8; SEED]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

impl Seed {
    /// Makes a seed of these bytes, which nobody must be able to guess.
    #[must_use]
    pub const fn new(bytes: [u8; SEED]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, to be sealed.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SEED] {
        &self.0
    }

    /// Returns the seed as people type it.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// Returns the address that an app reads from a picture (Google Authenticator's Key URI format).
    #[must_use]
    pub fn to_uri(&self, issuer: &str, account: &str) -> String {
        let encode = |text| utf8_percent_encode(text, UNRESERVED).to_string();
        let (issuer, account) = (encode(issuer), encode(account));
        format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", self.to_text())
    }

    /// Returns the step of a code that is good at `now` and of a later step than `last`; none if it is not.
    #[must_use]
    pub fn check(&self, code: &str, now: Timestamp, last: i64) -> Option<i64> {
        let code: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        let present = now.as_seconds().div_euclid(STEP);
        // All are compared, so that the time taken does not say which one it was.
        let mut found = None;
        for step in present - DRIFT..=present + DRIFT {
            let is_it = bool::from(self.code(step).as_bytes().ct_eq(code.as_bytes()));
            if is_it && step > last {
                found = Some(step);
            }
        }
        found
    }

    /// Returns the code of the moment, for those who have the seed.
    #[must_use]
    pub fn code_at(&self, now: Timestamp) -> String {
        self.code(now.as_seconds().div_euclid(STEP))
    }

    /// RFC 4226 §5.3.
    fn code(&self, step: i64) -> String {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return String::new() };
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 0x0f);
        let number =
            digest[offset..offset + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: Seed = Seed::new(*b"12345678901234567890");

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// The last six digits of RFC 6238's eight, appendix B.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(RFC.code_at(at(seconds)), code);
        }
    }

    #[test]
    fn a_code_is_good_for_a_while_and_once() {
        let step = RFC.check("287 082", at(59), 0).expect("the present code");
        assert!(RFC.check("287082", at(29), 0).is_some() && RFC.check("287082", at(89), 0).is_some());
        assert_eq!(RFC.check("287082", at(90), 0), None, "two steps later");
        assert_eq!(RFC.check("287082", at(59), step), None, "it was used");
        for wrong in ["", "287083", "28708", "2870820", "-87082"] {
            assert_eq!(RFC.check(wrong, at(59), 0), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_names_forge_and_account() {
        let uri = RFC.to_uri("forge.localhost", "al ice");
        assert_eq!(
            uri,
            "otpauth://totp/forge.localhost:al%20ice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=forge.localhost"
        );
    }
}
