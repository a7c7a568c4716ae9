//! One proof: read, checked against what the request was (RFC 9449 §4.3).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use forge_types::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Target;
use crate::jose::{Jwk, Jws, Malformed, SigningKey, SigningKeyError, Thumbprint};

const TYPE: &str = "dpop+jwt";
/// The most a proof may be long; an honest one has some hundreds.
const LONGEST: usize = 4 * 1024;
const LONGEST_ID: usize = 128;
/// What clocks may differ by, in seconds.
const LEEWAY: i64 = 60;

/// Why a proof proves nothing, for whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofFault {
    /// It is malformed or for something else.
    Invalid(&'static str),
    /// It must repeat a nonce, and repeats none or one that is over.
    NonceNeeded,
}

impl From<Malformed> for ProofFault {
    fn from(Malformed(why): Malformed) -> Self {
        Self::Invalid(why)
    }
}

/// What a proof must be for.
pub struct Demand<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The address of the request.
    pub target: &'a Target,
    /// The token that comes with it.
    pub token: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
    /// Says whether a nonce is good; none where proofs need not repeat one.
    pub nonce: Option<&'a dyn Fn(&str) -> bool>,
}

/// A proof whose signature verifies, by the key that it carries.
#[derive(Debug)]
pub struct Proof {
    key: Jwk,
    id: String,
    claims: Map<String, Value>,
}

impl Proof {
    /// How long a proof is remembered: past the last moment at which it would be accepted.
    pub const REMEMBERED: Duration = Duration::from_secs(2 * LEEWAY as u64 + 2);

    /// Reads a proof and verifies that whoever made it has the key it carries.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn read(text: &str) -> Result<Self, ProofFault> {
        if text.len() > LONGEST {
            return Err(ProofFault::Invalid("the proof is longer than 4096 bytes"));
        }
        let jws = Jws::parse(text)?;
        if jws.header("typ") != Some(TYPE) {
            return Err(ProofFault::Invalid("the type of the proof is not `dpop+jwt`"));
        }
        let key = jws.embedded_key()?;
        let claims = jws.verify(&key)?.clone();
        let id = text_of(&claims, "jti").ok_or(ProofFault::Invalid("the proof has no `jti`"))?;
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(ProofFault::Invalid("`jti` must have 1 to 128 bytes"));
        }
        Ok(Self { key, id: id.to_owned(), claims })
    }

    /// Reads the one proof of a request.
    ///
    /// # Errors
    /// `Invalid` unless there is exactly one.
    pub fn read_only<'a>(mut texts: impl Iterator<Item = &'a str>) -> Result<Self, ProofFault> {
        let text = texts.next().ok_or(ProofFault::Invalid("there is no `DPoP` header"))?;
        if texts.next().is_some() {
            return Err(ProofFault::Invalid("there is more than one `DPoP` header"));
        }
        Self::read(text)
    }

    /// Checks that the proof is for this request, now.
    ///
    /// # Errors
    /// `Invalid`, or `NonceNeeded` if that is all that is wrong.
    pub fn check(&self, demand: &Demand<'_>) -> Result<(), ProofFault> {
        let claim = |name| text_of(&self.claims, name);
        if claim("htm") != Some(demand.method) {
            return Err(ProofFault::Invalid("`htm` is not the method of the request"));
        }
        if !claim("htu").is_some_and(|htu| demand.target.is(htu)) {
            return Err(ProofFault::Invalid("`htu` is not the address of the request"));
        }
        let issued_at = self.claims.get("iat").and_then(Value::as_i64);
        let age = issued_at.and_then(|at| demand.now.as_seconds().checked_sub(at));
        if !age.is_some_and(|age| (-LEEWAY..=LEEWAY).contains(&age)) {
            return Err(ProofFault::Invalid("`iat` is not within a minute of the time here"));
        }
        if let Some(token) = demand.token
            && claim("ath") != Some(access_token_hash(token).as_str())
        {
            return Err(ProofFault::Invalid("`ath` is not the hash of the token"));
        }
        match demand.nonce {
            Some(is_good) if !claim("nonce").is_some_and(is_good) => Err(ProofFault::NonceNeeded),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &Jwk {
        &self.key
    }

    /// Returns the key's thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.key.thumbprint()
    }

    /// Returns what tells this proof from every other of any key.
    #[must_use]
    pub fn replay_key(&self) -> [u8; 32] {
        // Thumbprints are of one length, so that the two parts cannot be shifted against each other.
        let mut digest = Sha256::new();
        digest.update(self.thumbprint().as_str().as_bytes());
        digest.update(self.id.as_bytes());
        digest.finalize().into()
    }
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// Returns what `ath` must be for a token.
#[must_use]
pub fn access_token_hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(token.as_bytes()))
}

/// Makes a proof for a request of `method` to `address`, with an `id` never used before.
///
/// # Errors
/// `NoRandomness`.
pub fn make(
    key: &SigningKey,
    (method, address): (&str, &str),
    id: &str,
    now: Timestamp,
    token: Option<&str>,
    nonce: Option<&str>,
) -> Result<String, SigningKeyError> {
    let mut claims = json!({ "jti": id, "htm": method, "htu": address, "iat": now.as_seconds() });
    if let Some(token) = token {
        claims["ath"] = access_token_hash(token).into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    key.sign(&json!({ "typ": TYPE, "jwk": key.public().to_json() }), &claims)
}

#[cfg(test)]
mod tests;
