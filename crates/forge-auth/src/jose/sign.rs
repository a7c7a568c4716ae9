//! Private keys, for whoever signs: the local proxy and tests. A forge holds none.

use std::fmt;

use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::Value;

use super::{Jwk, decode, encode, object};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A private key that signs with ES256 or Ed25519.
pub struct SigningKey {
    pair: Pair,
    pkcs8: Option<Vec<u8>>,
}

enum Pair {
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// Why something is no private key, or cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyError {
    /// It is neither PKCS #8 in PEM nor a JWK, of P-256 or Ed25519.
    Unreadable,
    /// The operating system has no randomness to give.
    NoRandomness,
}

impl fmt::Display for SigningKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "not a private key of P-256 or Ed25519, as PEM (PKCS #8) or JWK",
            Self::NoRandomness => "the operating system gives no randomness",
        })
    }
}

impl std::error::Error for SigningKeyError {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().thumbprint())
    }
}

impl SigningKey {
    /// Makes a key of P-256.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn generate_p256() -> Result<Self, SigningKeyError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self::from_pkcs8(pkcs8.map_err(|_| SigningKeyError::NoRandomness)?.as_ref())
    }

    /// Makes a key of Ed25519.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn generate_ed25519() -> Result<Self, SigningKeyError> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        Self::from_pkcs8(pkcs8.map_err(|_| SigningKeyError::NoRandomness)?.as_ref())
    }

    /// Reads a key from the text of a file: PKCS #8 in PEM, or a JWK with its private part.
    ///
    /// # Errors
    /// `Unreadable`.
    pub fn from_text(text: &str) -> Result<Self, SigningKeyError> {
        if let Some((_, rest)) = text.split_once(BEGIN) {
            let (body, _) = rest.split_once(END).ok_or(SigningKeyError::Unreadable)?;
            let body: String = body.split_ascii_whitespace().collect();
            return Self::from_pkcs8(
                &BASE64.decode(body.as_bytes()).map_err(|_| SigningKeyError::Unreadable)?,
            );
        }
        Self::from_jwk(text).ok_or(SigningKeyError::Unreadable)
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, SigningKeyError> {
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &SystemRandom::new());
        let pair = match p256 {
            Ok(pair) => Pair::P256(Box::new(pair)),
            // Other programs write the private part alone.
            Err(_) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes)
                .map(|pair| Pair::Ed25519(Box::new(pair)))
                .map_err(|_| SigningKeyError::Unreadable)?,
        };
        Ok(Self { pair, pkcs8: Some(bytes.to_vec()) })
    }

    fn from_jwk(text: &str) -> Option<Self> {
        let mut members = object::read(text.as_bytes())?;
        let private = decode(members.remove("d")?.as_str()?)?;
        let pair = match Jwk::from_json(&Value::Object(members)).ok()? {
            Jwk::P256(point) => Pair::P256(Box::new(
                EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &private,
                    &point,
                    &SystemRandom::new(),
                )
                .ok()?,
            )),
            Jwk::Ed25519(point) => {
                Pair::Ed25519(Box::new(Ed25519KeyPair::from_seed_and_public_key(&private, &point).ok()?))
            }
        };
        Some(Self { pair, pkcs8: None })
    }

    /// Returns the key as PEM, for the one who asked to have it made; none if it was read from a JWK.
    #[must_use]
    pub fn to_pem(&self) -> Option<String> {
        let body = BASE64.encode(self.pkcs8.as_deref()?);
        let mut text = format!("{BEGIN}\n");
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str(END);
        text.push('\n');
        Some(text)
    }

    /// Returns the public key.
    #[must_use]
    pub fn public(&self) -> Jwk {
        match &self.pair {
            Pair::P256(pair) => {
                let mut point = [0; 65];
                point.copy_from_slice(pair.public_key().as_ref());
                Jwk::P256(point)
            }
            Pair::Ed25519(pair) => {
                let mut point = [0; 32];
                point.copy_from_slice(pair.public_key().as_ref());
                Jwk::Ed25519(point)
            }
        }
    }

    /// Signs `payload` compactly, under `header` with the algorithm added.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn sign(&self, header: &Value, payload: &Value) -> Result<String, SigningKeyError> {
        let mut header = header.clone();
        if let Value::Object(members) = &mut header {
            members.insert("alg".to_owned(), self.public().algorithm().into());
        }
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
        let signature = self.signature(signed.as_bytes())?;
        Ok(format!("{signed}.{}", encode(&signature)))
    }

    /// Signs bytes.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub(crate) fn signature(&self, signed: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        Ok(match &self.pair {
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), signed)
                .map_err(|_| SigningKeyError::NoRandomness)?
                .as_ref()
                .to_vec(),
            Pair::Ed25519(pair) => pair.sign(signed).as_ref().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_after_it_was_written_and_read() {
        for key in [SigningKey::generate_p256(), SigningKey::generate_ed25519()] {
            let key = key.expect("a key");
            let read = SigningKey::from_text(&key.to_pem().expect("a PEM")).expect("readable");
            assert_eq!(read.public(), key.public());
        }
    }

    #[test]
    fn private_keys_of_other_programs_are_read() {
        // RFC 8037, appendix A.1, and RFC 7515, appendix A.3.1; then what `openssl genpkey` writes.
        for text in [
            r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
        ] {
            let key = SigningKey::from_text(text).expect(text);
            let signed = key.sign(&serde_json::json!({}), &serde_json::json!({})).expect("signed");
            assert!(crate::jose::Jws::parse(&signed).expect("readable").verify(&key.public()).is_ok());
        }
        for text in ["", "{}", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", BEGIN] {
            assert!(SigningKey::from_text(text).is_err(), "{text}");
        }
    }
}
