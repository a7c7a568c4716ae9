//! Client assertions (RFC 7523): a client signs who it is instead of showing a secret.
//!
//! The audience is the issuer and nothing else: an assertion made for another server, which tells this one's address as
//! one of several, is none (draft-ietf-oauth-rfc7523bis).

use std::time::Duration;

use forge_types::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::jose::{Jwk, Jws, Malformed};

/// The type of assertion that is taken, as requests name it.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const LONGEST: usize = 4 * 1024;
const LONGEST_ID: usize = 128;
/// The longest an assertion may last.
const LIFETIME: i64 = 300;
/// What clocks may differ by, in seconds.
const LEEWAY: i64 = 60;

/// An assertion that was read and not verified yet.
#[derive(Debug)]
pub struct Assertion {
    jws: Jws,
    subject: String,
}

/// An assertion that a key has signed, for this server, now.
#[derive(Debug, PartialEq, Eq)]
pub struct Asserted {
    /// What tells this assertion from every other of any key.
    pub replay_key: [u8; 32],
}

impl Assertion {
    /// How long an assertion is remembered: past the last moment at which it would be accepted.
    pub const REMEMBERED: Duration = Duration::from_secs((LIFETIME + 2 * LEEWAY + 2) as u64);

    /// Reads an assertion.
    ///
    /// # Errors
    /// If it is malformed, or something else that was signed.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed("the assertion is longer than 4096 bytes"));
        }
        let jws = Jws::parse(text)?;
        let kind = jws.header("typ");
        if !matches!(kind, None | Some("JWT" | "client-authentication+jwt")) {
            return Err(Malformed("the type of the assertion is not `client-authentication+jwt`"));
        }
        let subject = text_of(jws.unverified(), "sub").unwrap_or_default().to_owned();
        Ok(Self { jws, subject })
    }

    /// Returns who it says the client is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Checks that `key` signed it for `issuer`, now.
    ///
    /// # Errors
    /// Which of the rules of RFC 7523 §3 it breaks.
    pub fn check(&self, key: &Jwk, issuer: &str, now: Timestamp) -> Result<Asserted, Malformed> {
        let claims = self.jws.verify(key)?;
        let claim = |name| text_of(claims, name);
        if self.subject.is_empty() || claim("iss") != Some(self.subject.as_str()) {
            return Err(Malformed("`iss` and `sub` are not both the client's name"));
        }
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => audience == issuer,
            Some(Value::Array(audiences)) => audiences.len() == 1 && audiences[0] == issuer,
            _ => false,
        };
        if !is_for_us {
            return Err(Malformed("`aud` is not the issuer alone"));
        }
        check_times(claims, now.as_seconds())?;
        let id = claim("jti").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        let id = id.ok_or(Malformed("`jti` must have 1 to 128 bytes"))?;
        let mut digest = Sha256::new();
        digest.update(b"client assertion ");
        digest.update(key.thumbprint().as_str().as_bytes());
        digest.update(id.as_bytes());
        Ok(Asserted { replay_key: digest.finalize().into() })
    }
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), Malformed> {
    let time = |name: &str| claims.get(name).map(Value::as_i64);
    let Some(Some(expiry)) = time("exp") else { return Err(Malformed("`exp` is missing or not a number")) };
    if expiry <= now || expiry > now.saturating_add(LIFETIME + LEEWAY) {
        return Err(Malformed("`exp` is past, or more than five minutes ahead"));
    }
    for name in ["iat", "nbf"] {
        if time(name).is_some_and(|at| at.is_none_or(|at| at > now.saturating_add(LEEWAY))) {
            return Err(Malformed("`iat` or `nbf` is in the future"));
        }
    }
    Ok(())
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    const ISSUER: &str = "https://forge.example";

    fn honest() -> Value {
        json!({ "iss": "robot", "sub": "robot", "aud": ISSUER, "jti": "1", "iat": 1_000, "exp": 1_300 })
    }

    fn check(key: &SigningKey, header: &Value, claims: &Value) -> Result<Asserted, Malformed> {
        let text = key.sign(header, claims).expect("signed");
        Assertion::read(&text)?.check(&key.public(), ISSUER, Timestamp::from_micros(1_000_000_000))
    }

    #[test]
    fn an_honest_assertion_is_accepted_and_another_keys_is_not() {
        let key = SigningKey::generate_ed25519().expect("a key");
        assert!(check(&key, &json!({}), &honest()).is_ok());
        assert!(check(&key, &json!({ "typ": "client-authentication+jwt" }), &honest()).is_ok());
        let text = key.sign(&json!({ "kid": "x" }), &honest()).expect("signed");
        let read = Assertion::read(&text).expect("readable");
        assert_eq!(read.subject(), "robot");
        let other = SigningKey::generate_p256().expect("a key").public();
        assert!(read.check(&other, ISSUER, Timestamp::from_micros(1_000_000_000)).is_err());
    }

    #[test]
    fn a60_an_assertion_for_anyone_else_too_is_refused() {
        let key = SigningKey::generate_p256().expect("a key");
        for audience in [
            json!("https://forge.example/"),
            json!("https://forge.example/login/oauth/access_token"),
            json!("https://evil.example"),
            json!([ISSUER, "https://evil.example"]),
            json!([]),
            json!(null),
            json!({ "a": ISSUER }),
        ] {
            let mut claims = honest();
            claims["aud"] = audience.clone();
            assert!(check(&key, &json!({}), &claims).is_err(), "{audience}");
        }
        let mut claims = honest();
        claims["aud"] = json!([ISSUER]);
        assert!(check(&key, &json!({}), &claims).is_ok());
    }

    #[test]
    fn every_other_way_of_being_wrong_is_refused() {
        let key = SigningKey::generate_p256().expect("a key");
        for (name, value) in [
            ("iss", json!("other")),
            ("sub", json!("other")),
            ("sub", json!("")),
            ("exp", json!(1_000)),
            ("exp", json!(1_361)),
            ("exp", json!(i64::MAX)),
            ("exp", json!("1300")),
            ("exp", json!(null)),
            ("iat", json!(1_061)),
            ("nbf", json!(1_061)),
            ("nbf", json!("x")),
            ("jti", json!("")),
            ("jti", json!("x".repeat(129))),
            ("jti", json!(null)),
        ] {
            let mut claims = honest();
            claims[name] = value.clone();
            assert!(check(&key, &json!({}), &claims).is_err(), "{name} {value}");
        }
        for kind in ["dpop+jwt", "at+jwt", "jwt"] {
            assert!(check(&key, &json!({ "typ": kind }), &honest()).is_err(), "{kind}");
        }
    }
}
