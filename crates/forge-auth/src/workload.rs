//! Tokens that say what a program runs in: of GitHub Actions, GitLab, Kubernetes or SPIFFE (JWT-SVID), signed by whoever
//! runs it, as grants by assertion have them (RFC 7523 §2.1 and §3).
//!
//! Nothing in a token is believed before a key of its issuer has verified it. Which issuers, subjects and claims count
//! stands in bindings; this room says what holds for all of them.

use std::collections::BTreeMap;

use forge_types::Timestamp;
use forge_types::workload::SubjectPattern;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::jose::{Jws, KeySet, Malformed};

const LONGEST: usize = 16 * 1024;
const LONGEST_ID: usize = 256;
const LONGEST_SUBJECT: usize = 512;
/// The longest a token may last, in seconds: it has to be remembered for as long.
const LIFETIME: i64 = 24 * 60 * 60;
/// What clocks may differ by, in seconds.
const LEEWAY: i64 = 60;
/// How issuers of SPIFFE are named: by their trust domains.
const SPIFFE: &str = "spiffe://";

/// A token that was read and not verified yet.
#[derive(Debug)]
pub struct WorkloadToken {
    jws: Jws,
    issuer: String,
    subject: String,
}

/// What a binding demands of a token.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// For whom it must be, and for nobody else.
    pub audience: &'a str,
    /// Which subjects are meant.
    pub subject: &'a SubjectPattern,
    /// Claims that it must have, each exactly so.
    pub claims: &'a BTreeMap<String, Value>,
    /// The time.
    pub now: Timestamp,
}

/// A workload whose issuer vouches for it, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// What tells this token from every other of any issuer.
    pub replay_key: [u8; 32],
    /// Until when it has to be remembered: past the last moment at which it would be accepted.
    pub remembered_until: Timestamp,
}

impl WorkloadToken {
    /// Reads a token.
    ///
    /// # Errors
    /// If it is malformed, names no issuer or nobody, or is something else that was signed.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed("the token is longer than 16384 bytes"));
        }
        let jws = Jws::parse(text)?;
        if !matches!(jws.header("typ"), None | Some("JWT" | "JOSE")) {
            return Err(Malformed("the type of the token is not `JWT`"));
        }
        let claim = |name: &str| jws.unverified().get(name).and_then(Value::as_str);
        let subject = claim("sub").filter(|subject| !subject.is_empty() && subject.len() <= LONGEST_SUBJECT);
        let subject = subject.ok_or(Malformed("`sub` must have 1 to 512 bytes"))?.to_owned();
        // A JWT-SVID may leave its issuer out: that is the trust domain of its subject.
        let issuer = match (jws.unverified().contains_key("iss"), claim("iss")) {
            (true, given) => given.map(str::to_owned),
            (false, _) => trust_domain(&subject),
        };
        let issuer = issuer.filter(|issuer| !issuer.is_empty()).ok_or(Malformed("`iss` is missing"))?;
        Ok(Self { jws, issuer, subject })
    }

    /// Returns who it says vouches for it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns who it says the workload is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the name of the key that it says has signed it.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header("kid")
    }

    /// Checks that a key of the issuer signed it, for this forge alone, now, and that it is whom a binding means.
    ///
    /// # Errors
    /// Which of the rules it breaks.
    pub fn check(&self, keys: &KeySet, demand: &Demand<'_>) -> Result<Vouched, Malformed> {
        let claims = self.jws.verify_by(keys)?;
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => audience == demand.audience,
            Some(Value::Array(audiences)) => audiences.len() == 1 && audiences[0] == demand.audience,
            _ => false,
        };
        if !is_for_us {
            return Err(Malformed("`aud` is not the audience of the binding alone"));
        }
        let expiry = check_times(claims, demand.now.as_seconds())?;
        if !demand.subject.matches(&self.subject) {
            return Err(Malformed("`sub` is not one of the binding"));
        }
        if demand.claims.iter().any(|(name, value)| claims.get(name) != Some(value)) {
            return Err(Malformed("a claim is not as the binding has it"));
        }
        if let Some(name) = proposal(claims)
            && !demand.claims.contains_key(name)
        {
            return Err(Malformed(
                "it is of a run on a proposal, which the claims of the binding do not name",
            ));
        }
        Ok(Vouched {
            replay_key: self.replay_key(claims)?,
            remembered_until: Timestamp::from_micros((expiry + LEEWAY + 1).saturating_mul(1_000_000)),
        })
    }

    /// What is signed tells tokens apart where they have no id: a signature can be written in more than one way.
    fn replay_key(&self, claims: &Map<String, Value>) -> Result<[u8; 32], Malformed> {
        let mut digest = Sha256::new();
        match claims.get("jti") {
            None => {
                digest.update(b"workload token without id ");
                digest.update(self.jws.signed());
            }
            Some(Value::String(id)) if (1..=LONGEST_ID).contains(&id.len()) => {
                digest.update(b"workload token ");
                digest.update(Sha256::digest(self.issuer.as_bytes()));
                digest.update(id.as_bytes());
            }
            Some(_) => return Err(Malformed("`jti` must have 1 to 256 bytes")),
        }
        Ok(digest.finalize().into())
    }
}

/// Returns the issuer by whose word a SPIFFE id is somebody's: its trust domain.
#[must_use]
pub fn trust_domain(subject: &str) -> Option<String> {
    let (domain, path) = subject.strip_prefix(SPIFFE)?.split_once('/')?;
    (!domain.is_empty() && !path.is_empty()).then(|| format!("{SPIFFE}{domain}"))
}

/// Returns the claim by which a token is of a run on a proposal to change code, which whoever makes a fork can start. Its
/// subject may be that of the branch which the proposal is for.
fn proposal(claims: &Map<String, Value>) -> Option<&'static str> {
    let is = |name: &'static str, words: &[&str]| {
        let value = claims.get(name)?.as_str()?;
        words.iter().any(|word| value.contains(word)).then_some(name)
    };
    is("event_name", &["pull_request"]).or_else(|| is("pipeline_source", &["merge_request", "pull_request"]))
}

/// Returns when the token ends.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<i64, Malformed> {
    // Some issuers write fractions of seconds (RFC 7519 §2).
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match (value.as_i64(), value.as_f64()) {
            (Some(whole), _) => Ok(Some(whole)),
            (None, Some(fraction)) if fraction.abs() < 1e12 => Ok(Some(fraction.floor() as i64)),
            _ => Err(Malformed("`exp`, `nbf` or `iat` is not a number of seconds")),
        },
    };
    let expiry = time("exp")?.ok_or(Malformed("`exp` is missing"))?;
    let (begin, issued) = (time("nbf")?, time("iat")?);
    if expiry.saturating_add(LEEWAY) <= now {
        return Err(Malformed("`exp` is past"));
    }
    if [begin, issued].iter().flatten().any(|at| *at > now.saturating_add(LEEWAY)) {
        return Err(Malformed("`iat` or `nbf` is in the future"));
    }
    let from = issued.or(begin).unwrap_or(now).min(now);
    if expiry.saturating_sub(from) > LIFETIME {
        return Err(Malformed("the token lasts longer than a day"));
    }
    Ok(expiry)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    const NOW: i64 = 1_000_000;
    const ISSUER: &str = "https://runs.example";
    const US: &str = "https://forge.example";

    fn honest() -> Value {
        json!({
            "iss": ISSUER, "sub": "repo:acme/app:ref:refs/heads/main", "aud": US, "jti": "1",
            "iat": NOW - 5, "nbf": NOW - 5, "exp": NOW + 300, "event_name": "push", "ref_protected": "true",
        })
    }

    struct Issuer(SigningKey);

    impl Issuer {
        fn new() -> Self {
            Self(SigningKey::generate_p256().expect("randomness"))
        }

        fn keys(&self) -> KeySet {
            KeySet::from_json(&json!({ "keys": [self.0.public().to_json()] })).expect("a set")
        }

        fn token(&self, claims: &Value) -> String {
            self.0.sign(&json!({ "typ": "JWT" }), claims).expect("signed")
        }

        fn check(&self, claims: &Value, rules: &Value) -> Result<Vouched, Malformed> {
            let rules: BTreeMap<String, Value> = serde_json::from_value(rules.clone()).expect("rules");
            let subject = SubjectPattern::parse("repo:acme/*:ref:refs/heads/main").expect("a pattern");
            let now = Timestamp::from_micros(NOW * 1_000_000);
            let demand = Demand { audience: US, subject: &subject, claims: &rules, now };
            WorkloadToken::read(&self.token(claims))?.check(&self.keys(), &demand)
        }
    }

    #[test]
    fn an_honest_token_is_accepted_and_one_that_another_signed_is_not() {
        let issuer = Issuer::new();
        let vouched = issuer.check(&honest(), &json!({ "ref_protected": "true" })).expect("accepted");
        assert_eq!(vouched.remembered_until.as_seconds(), NOW + 361);
        let read = WorkloadToken::read(&issuer.token(&honest())).expect("readable");
        assert_eq!((read.issuer(), read.subject()), (ISSUER, "repo:acme/app:ref:refs/heads/main"));
        let other = Issuer::new();
        let subject = SubjectPattern::parse(read.subject()).expect("a pattern");
        let now = Timestamp::from_micros(NOW * 1_000_000);
        let demand = Demand { audience: US, subject: &subject, claims: &BTreeMap::new(), now };
        assert!(read.check(&issuer.keys(), &demand).is_ok());
        assert!(read.check(&other.keys(), &demand).is_err());
    }

    #[test]
    fn a60_a_token_for_anyone_else_too_is_refused() {
        let issuer = Issuer::new();
        for (audience, is_good) in [
            (json!(US), true),
            (json!([US]), true),
            (json!([US, "https://evil.example"]), false),
            (json!("https://github.com/acme"), false),
            (json!("https://forge.example/"), false),
            (json!([]), false),
            (Value::Null, false),
        ] {
            let mut claims = honest();
            claims["aud"] = audience.clone();
            assert_eq!(issuer.check(&claims, &json!({})).is_ok(), is_good, "{audience}");
        }
    }

    #[test]
    fn a70_every_other_way_of_being_wrong_is_refused() {
        let issuer = Issuer::new();
        for (name, value) in [
            ("sub", json!("repo:acme-evil/app:ref:refs/heads/main")),
            ("sub", json!("")),
            ("sub", json!(["repo:acme/app:ref:refs/heads/main"])),
            ("iss", json!("")),
            ("iss", json!([ISSUER])),
            ("exp", json!(NOW - 60)),
            ("exp", json!(null)),
            ("exp", json!("1000300")),
            ("exp", json!(i64::MAX)),
            ("exp", json!(NOW + 86_400)),
            ("iat", json!(NOW + 61)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!("x")),
            ("jti", json!("")),
            ("jti", json!(7)),
            ("jti", json!("x".repeat(257))),
            ("event_name", json!("pull_request_target")),
            ("event_name", json!("pull_request")),
            ("pipeline_source", json!("merge_request_event")),
            ("ref_protected", json!(true)),
            ("ref_protected", json!(["true"])),
        ] {
            let mut claims = honest();
            claims[name] = value.clone();
            assert!(issuer.check(&claims, &json!({ "ref_protected": "true" })).is_err(), "{name} {value}");
        }
        let mut named = honest();
        named["event_name"] = "pull_request_target".into();
        assert!(issuer.check(&named, &json!({ "event_name": "pull_request_target" })).is_ok());
        assert!(issuer.check(&named, &json!({ "event_name": "push" })).is_err());
        let proof = issuer.0.sign(&json!({ "typ": "dpop+jwt" }), &honest()).expect("signed");
        assert!(WorkloadToken::read(&proof).is_err());
    }

    #[test]
    fn a70_a_token_without_id_is_known_by_what_is_signed_however_its_signature_is_written() {
        let issuer = Issuer::new();
        let mut claims = honest();
        claims.as_object_mut().expect("claims").remove("jti");
        // ECDSA signs with fresh randomness, so the same claims have another signature each time.
        let (one, two) = (issuer.token(&claims), issuer.token(&claims));
        assert_ne!(one, two);
        let key = |claims: &Value| issuer.check(claims, &json!({})).expect("accepted").replay_key;
        let first = key(&claims);
        assert_eq!(first, key(&claims));
        claims["iat"] = (NOW - 4).into();
        assert_ne!(first, key(&claims));
        // One with an id is known by that alone.
        let mut named = honest();
        let first = key(&named);
        named["iat"] = (NOW - 4).into();
        assert_eq!(first, key(&named));
    }

    #[test]
    fn the_issuer_of_a_spiffe_id_is_its_trust_domain() {
        assert_eq!(trust_domain("spiffe://example.org/ci/one").as_deref(), Some("spiffe://example.org"));
        for other in
            ["spiffe://example.org", "spiffe:///ci", "spiffe://example.org/", "https://example.org/x"]
        {
            assert_eq!(trust_domain(other), None, "{other}");
        }
        let issuer = Issuer::new();
        let svid = json!({ "sub": "spiffe://example.org/ci/one", "aud": [US], "exp": NOW + 60 });
        let read = WorkloadToken::read(&issuer.token(&svid)).expect("readable");
        assert_eq!(read.issuer(), "spiffe://example.org");
    }
}
