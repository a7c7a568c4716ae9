//! The keys that sign checkpoints of the audit log: Ed25519 (RFC 8032), from seeds in the key file.
//!
//! What is signed is for outsiders, so public keys are written in forms that other programs read: PEM and JWK (RFC 8037).

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::keys::KeyError;

/// What comes before the 32 bytes of a public key in its DER form (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// A key that signs.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| KeyError::Malformed)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }

    pub(crate) fn public(&self) -> Result<PublicKey, KeyError> {
        let bytes = self.0.public_key().as_ref().try_into().map_err(|_| KeyError::Malformed)?;
        Ok(PublicKey(bytes))
    }
}

/// A key that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Returns the id that signatures name: the first 16 hexadecimal digits of SHA-256 of the key.
    #[must_use]
    pub fn id(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0)[..8])
    }

    /// Returns whether the key's owner signed the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }

    /// Returns the key as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        let der = [&SPKI[..], &self.0[..]].concat();
        format!("{BEGIN}\n{}\n{END}\n", BASE64.encode(&der))
    }

    /// Returns the key as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.id(), "x": BASE64URL_NOPAD.encode(&self.0),
        })
    }

    /// Reads all keys of a text: PEM, one after the other, or a JWK set.
    ///
    /// # Errors
    /// `Malformed` if there is none, or one that is not Ed25519.
    pub fn read_all(text: &str) -> Result<Vec<Self>, KeyError> {
        let keys = if text.trim_start().starts_with('{') { of_set(text)? } else { of_pem(text)? };
        if keys.is_empty() { Err(KeyError::Malformed) } else { Ok(keys) }
    }
}

fn of_set(text: &str) -> Result<Vec<PublicKey>, KeyError> {
    let set: Value = serde_json::from_str(text).map_err(|_| KeyError::Malformed)?;
    let keys = set["keys"].as_array().ok_or(KeyError::Malformed)?;
    let key = |jwk: &Value| {
        let x = jwk["x"].as_str().filter(|_| jwk["crv"] == "Ed25519").ok_or(KeyError::Malformed)?;
        let bytes = BASE64URL_NOPAD.decode(x.as_bytes()).map_err(|_| KeyError::Malformed)?;
        bytes.try_into().map(PublicKey).map_err(|_| KeyError::Malformed)
    };
    keys.iter().map(key).collect()
}

fn of_pem(text: &str) -> Result<Vec<PublicKey>, KeyError> {
    let mut keys = Vec::new();
    for part in text.split(BEGIN).skip(1) {
        let (body, _) = part.split_once(END).ok_or(KeyError::Malformed)?;
        let body: String = body.split_whitespace().collect();
        let der = BASE64.decode(body.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let bytes = der.strip_prefix(&SPKI[..]).ok_or(KeyError::Malformed)?;
        keys.push(PublicKey(bytes.try_into().map_err(|_| KeyError::Malformed)?));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 2.
    const SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    fn bytes(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).expect("hexadecimal digits")
    }

    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = SigningKey::from_seed(&bytes(SEED).try_into().expect("32 bytes")).expect("a key");
        let public = key.public().expect("a public key");
        assert_eq!(public.0.to_vec(), bytes(PUBLIC));
        assert_eq!(key.sign(&[0x72]), bytes(SIGNATURE));
        assert!(public.verifies(&[0x72], &bytes(SIGNATURE)));
        assert!(!public.verifies(&[0x73], &bytes(SIGNATURE)));
    }

    #[test]
    fn public_keys_are_read_as_they_are_written() {
        let key = |seed| SigningKey::from_seed(&[seed; 32]).expect("a key").public().expect("a public key");
        let (one, two) = (key(1), key(2));
        assert_eq!(PublicKey::read_all(&(one.pem() + &two.pem())), Ok(vec![one, two]));
        let set = json!({ "keys": [one.jwk(), two.jwk()] }).to_string();
        assert_eq!(PublicKey::read_all(&set), Ok(vec![one, two]));
        for text in
            ["", "x", "{}", "{\"keys\":[]}", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]
        {
            assert_eq!(PublicKey::read_all(text), Err(KeyError::Malformed), "{text}");
        }
    }
}
