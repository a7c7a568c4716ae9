//! Compact signatures (RFC 7515 §7.1): read, then verified with a key that the reader has chosen.

use serde_json::{Map, Value};

use super::{Jwk, Malformed, decode, object};

/// A compact signature that was read and not verified yet.
#[derive(Debug)]
pub struct Jws {
    header: Map<String, Value>,
    payload: Map<String, Value>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Jws {
    /// Reads a compact signature over a JSON object.
    ///
    /// # Errors
    /// Unless it has three parts in the one form of base64url, two of them objects in which no member stands twice, and
    /// demands nothing that is not understood.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed("not a compact signature: three parts of base64url without padding");
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(malformed)?;
        let object = |part: &str| object::read(&decode(part)?);
        let header = object(header)
            .ok_or(Malformed("the header is not a JSON object in base64url, or a member stands twice"))?;
        let payload = object(payload)
            .ok_or(Malformed("the payload is not a JSON object in base64url, or a member stands twice"))?;
        let signature = decode(signature).ok_or(malformed)?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(Malformed("the header demands what is not understood"));
        }
        Ok(Self { header, payload, signed: signed.as_bytes().to_vec(), signature })
    }

    /// Returns a member of the header that is a text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Returns what is signed: header and payload as they came.
    pub(crate) fn signed(&self) -> &[u8] {
        &self.signed
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Returns the claims before anybody is known to have signed them, to find out whose key to ask.
    pub(crate) fn unverified(&self) -> &Map<String, Value> {
        &self.payload
    }

    /// Returns the key that the header carries.
    ///
    /// # Errors
    /// If there is none, or it is none of ours.
    pub fn embedded_key(&self) -> Result<Jwk, Malformed> {
        Jwk::from_json(self.header.get("jwk").ok_or(Malformed("the header carries no key"))?)
    }

    /// Returns the claims, if `key` signed them with the algorithm the header names.
    ///
    /// # Errors
    /// If the algorithm is not the key's or the signature is not.
    pub fn verify(&self, key: &Jwk) -> Result<&Map<String, Value>, Malformed> {
        if !self.header("alg").is_some_and(|algorithm| key.is_for(algorithm)) {
            return Err(Malformed("the algorithm is not `ES256` or `EdDSA`, or not that of the key"));
        }
        if !key.verifies(&self.signed, &self.signature) {
            return Err(Malformed("the signature does not verify"));
        }
        Ok(&self.payload)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{SigningKey, encode};

    fn compact(header: &Value, payload: &Value, signature: &[u8]) -> String {
        let part = |value: &Value| encode(value.to_string().as_bytes());
        format!("{}.{}.{}", part(header), part(payload), encode(signature))
    }

    #[test]
    fn what_a_key_signed_verifies_with_it_alone() {
        for key in [SigningKey::generate_p256(), SigningKey::generate_ed25519()] {
            let key = key.expect("a key");
            let text = key.sign(&json!({ "typ": "x" }), &json!({ "a": 1 })).expect("signed");
            let jws = Jws::parse(&text).expect("readable");
            assert_eq!(jws.verify(&key.public()).expect("verified")["a"], 1);
            let other = SigningKey::generate_p256().expect("a key");
            assert!(jws.verify(&other.public()).is_err());
            let altered = text.replacen('.', ".A", 1);
            assert!(Jws::parse(&altered).map_or(true, |jws| jws.verify(&key.public()).is_err()));
        }
    }

    #[test]
    fn a56_algorithms_that_are_not_the_keys_are_refused() {
        let key = SigningKey::generate_p256().expect("a key");
        let payload = json!({ "a": 1 });
        let honest = key.sign(&json!({}), &payload).expect("signed");
        assert!(Jws::parse(&honest).expect("readable").verify(&key.public()).is_ok());
        for algorithm in ["none", "NONE", "HS256", "RS256", "ES384", "ES256K", "EdDSA", "es256", ""] {
            let header = json!({ "alg": algorithm });
            let signed = format!(
                "{}.{}",
                encode(header.to_string().as_bytes()),
                encode(payload.to_string().as_bytes())
            );
            let text = format!("{signed}.{}", encode(&key.signature(signed.as_bytes()).expect("signed")));
            let jws = Jws::parse(&text).expect("readable");
            assert!(jws.verify(&key.public()).is_err(), "{algorithm}");
        }
        assert!(
            Jws::parse(&compact(&json!({}), &payload, b"")).expect("readable").verify(&key.public()).is_err()
        );
    }

    #[test]
    fn a56_signatures_of_zeros_or_of_another_length_are_refused() {
        let key = SigningKey::generate_p256().expect("a key");
        for signature in [vec![0; 64], vec![0; 63], vec![0xff; 64], Vec::new(), vec![1; 72]] {
            let jws = Jws::parse(&compact(&json!({ "alg": "ES256" }), &json!({ "a": 1 }), &signature))
                .expect("readable");
            assert!(jws.verify(&key.public()).is_err());
        }
    }

    #[test]
    fn a58_ambiguous_or_demanding_texts_are_refused() {
        let key = SigningKey::generate_ed25519().expect("a key");
        let text = key.sign(&json!({}), &json!({ "a": 1 })).expect("signed");
        for other in [
            format!("{text}="),
            format!("{text}."),
            format!("{text}.x"),
            text.replace('.', "=."),
            format!(" {text}"),
            text.replace('.', ". "),
            String::new(),
            "..".to_owned(),
            compact(&json!({ "alg": "EdDSA", "crit": [] }), &json!({}), b"x"),
            compact(&json!({ "alg": "EdDSA", "b64": false }), &json!({}), b"x"),
            compact(&json!([]), &json!({}), b"x"),
            compact(&json!({}), &json!("x"), b"x"),
            format!("{}.{}.{}", encode(br#"{"alg":"EdDSA","alg":"EdDSA"}"#), encode(b"{}"), encode(b"x")),
            format!("{}.{}.{}", encode(b"{}"), encode(br#"{"a":1,"a":2}"#), encode(b"x")),
        ] {
            assert!(Jws::parse(&other).is_err(), "{other}");
        }
    }
}
