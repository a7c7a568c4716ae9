//! The keys that hash credentials and seal what must be read again. They live in a file of their own, apart from the
//! database; every hashed or sealed value carries the id of its key, and the previous keys are still accepted.

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::signing::{PublicKey, SigningKey};
use crate::token::Secret;

const NONCE: usize = 24;

/// One generation of keys.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    id: String,
    hash: String,
    seal: String,
}

/// A key that signs checkpoints of the audit log.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signing {
    seed: String,
}

/// The keys of a forge as their file holds them: the current generation first, and the current key that signs. Without one,
/// and for what was signed before there was one, it comes from the oldest generation.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    generation: Vec<Generation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signing: Vec<Signing>,
}

/// Why keys cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The file holds no generation, or a key that is not 32 bytes of base64url.
    Malformed,
    /// The value names a key that is not here.
    UnknownKey,
    /// The value was altered, or sealed for another purpose.
    Altered,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the key file is malformed",
            Self::UnknownKey => "the value was made with a key that is not in the key file",
            Self::Altered => "the sealed value is damaged",
        })
    }
}

impl std::error::Error for KeyError {}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.fingerprint())
    }
}

impl Keys {
    /// Makes a first generation.
    pub fn generate(mut draw: impl FnMut(&mut [u8])) -> Self {
        let mut key = || {
            let mut bytes = [0_u8; 32];
            draw(&mut bytes);
            BASE64URL_NOPAD.encode(&bytes)
        };
        let (hash, seal) = (key(), key());
        let id = HEXLOWER.encode(&Sha256::digest(hash.as_bytes())[..4]);
        Self { generation: vec![Generation { id, hash, seal }], signing: Vec::new() }
    }

    /// Checks keys read from a file.
    ///
    /// # Errors
    /// `Malformed` unless every key is 32 bytes.
    pub fn check(&self) -> Result<(), KeyError> {
        if self.generation.is_empty() {
            return Err(KeyError::Malformed);
        }
        self.generation.iter().try_for_each(|generation| {
            bytes(&generation.hash)?;
            bytes(&generation.seal).map(drop)
        })?;
        self.signing.iter().try_for_each(|signing| bytes(&signing.seed).map(drop))
    }

    /// Returns the same keys with a new one that signs; the former ones stay, to verify what they signed.
    #[must_use]
    pub fn with_new_signing_key(mut self, mut draw: impl FnMut(&mut [u8])) -> Self {
        let mut seed = [0_u8; 32];
        draw(&mut seed);
        self.signing.insert(0, Signing { seed: BASE64URL_NOPAD.encode(&seed) });
        self
    }

    /// Signs a message; returns the id of the key with the signature.
    ///
    /// # Errors
    /// `Malformed` if the keys were never checked.
    pub fn sign(&self, message: &[u8]) -> Result<(String, Vec<u8>), KeyError> {
        let keys = self.signing_keys()?;
        let current = keys.first().ok_or(KeyError::Malformed)?;
        Ok((current.public()?.id(), current.sign(message)))
    }

    /// Returns the keys that verify what is and was signed, the current one first.
    ///
    /// # Errors
    /// `Malformed` if the keys were never checked.
    pub fn public_keys(&self) -> Result<Vec<PublicKey>, KeyError> {
        self.signing_keys()?.iter().map(SigningKey::public).collect()
    }

    fn signing_keys(&self) -> Result<Vec<SigningKey>, KeyError> {
        let oldest = self.generation.last().ok_or(KeyError::Malformed)?;
        let seeds = self.signing.iter().map(|signing| bytes(&signing.seed));
        let first = keyed_hash(&bytes(&oldest.seal)?, "audit checkpoints", b"signing key 1");
        seeds.chain([first]).map(|seed| SigningKey::from_seed(&seed?)).collect()
    }

    /// Returns the id under which new values are hashed and sealed.
    #[must_use]
    pub fn current_id(&self) -> &str {
        self.generation.first().map_or("", |generation| generation.id.as_str())
    }

    /// Returns what tells these keys from others without telling the keys.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(b"forge key fingerprint 1");
        if let Some(current) = self.generation.first() {
            digest.update(current.hash.as_bytes());
            digest.update(current.seal.as_bytes());
        }
        HEXLOWER.encode(&digest.finalize()[..16])
    }

    /// Returns the keyed hash under which `secret` is stored: HMAC-SHA-256 of the whole value.
    ///
    /// # Errors
    /// `Malformed` if the keys were never checked.
    pub fn hash(&self, secret: &Secret) -> Result<[u8; 32], KeyError> {
        self.hash_for("credential", secret.expose().as_bytes())
    }

    /// Returns the keyed hash of `value` for `purpose`; hashes for different purposes have nothing in common.
    ///
    /// # Errors
    /// `Malformed` if the keys were never checked.
    pub fn hash_for(&self, purpose: &str, value: &[u8]) -> Result<[u8; 32], KeyError> {
        let current = self.generation.first().ok_or(KeyError::Malformed)?;
        keyed_hash(&bytes(&current.hash)?, purpose, value)
    }

    /// Returns the hashes under which `value` may be stored: with the current key first, then with the previous ones.
    ///
    /// # Errors
    /// `Malformed` if the keys were never checked.
    pub fn candidate_hashes(&self, purpose: &str, value: &[u8]) -> Result<Vec<[u8; 32]>, KeyError> {
        self.generation
            .iter()
            .map(|generation| keyed_hash(&bytes(&generation.hash)?, purpose, value))
            .collect()
    }

    /// Seals `plain` so that it can be read again only with these keys and for `purpose`.
    ///
    /// # Errors
    /// `Malformed` if the keys were never checked.
    pub fn seal(
        &self,
        purpose: &str,
        plain: &[u8],
        mut draw: impl FnMut(&mut [u8]),
    ) -> Result<String, KeyError> {
        let current = self.generation.first().ok_or(KeyError::Malformed)?;
        let mut nonce = [0_u8; NONCE];
        draw(&mut nonce);
        let cipher = XChaCha20Poly1305::new(&bytes(&current.seal)?.into());
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| KeyError::Malformed)?;
        Ok(format!("{}.{}", current.id, BASE64URL_NOPAD.encode(&[&nonce[..], &sealed[..]].concat())))
    }

    /// Reads what [`Self::seal`] sealed for the same purpose, with whichever key it names.
    ///
    /// # Errors
    /// `UnknownKey` or `Altered`.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, KeyError> {
        let (id, body) = sealed.split_once('.').ok_or(KeyError::Altered)?;
        let generation =
            self.generation.iter().find(|candidate| candidate.id == id).ok_or(KeyError::UnknownKey)?;
        let body = BASE64URL_NOPAD.decode(body.as_bytes()).map_err(|_| KeyError::Altered)?;
        let (nonce, text) = body.split_at_checked(NONCE).ok_or(KeyError::Altered)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| KeyError::Altered)?;
        let cipher = XChaCha20Poly1305::new(&bytes(&generation.seal)?.into());
        let payload = Payload { msg: text, aad: purpose.as_bytes() };
        cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| KeyError::Altered)
    }
}

fn keyed_hash(key: &[u8; 32], purpose: &str, value: &[u8]) -> Result<[u8; 32], KeyError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| KeyError::Malformed)?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(value);
    Ok(mac.finalize().into_bytes().into())
}

fn bytes(key: &str) -> Result<[u8; 32], KeyError> {
    let decoded = BASE64URL_NOPAD.decode(key.as_bytes()).map_err(|_| KeyError::Malformed)?;
    decoded.try_into().map_err(|_| KeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> Keys {
        let mut next = seed;
        Keys::generate(move |buffer| {
            for byte in buffer {
                next = next.wrapping_mul(31).wrapping_add(11);
                *byte = next;
            }
        })
    }

    #[test]
    fn sealed_values_open_only_with_the_key_and_purpose_they_were_sealed_for() {
        let ours = keys(1);
        let sealed = ours.seal("registration key", b"secret", |buffer| buffer.fill(9)).expect("sealed");
        assert_eq!(ours.open("registration key", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(ours.open("webhook", &sealed), Err(KeyError::Altered));
        assert_eq!(keys(2).open("registration key", &sealed), Err(KeyError::UnknownKey));
    }

    #[test]
    fn hashes_depend_on_key_and_purpose() {
        let (ours, theirs) = (keys(1), keys(2));
        let hash = ours.hash_for("a", b"value").expect("a hash");
        assert_ne!(hash, ours.hash_for("b", b"value").expect("a hash"));
        assert_ne!(hash, theirs.hash_for("a", b"value").expect("a hash"));
        assert_eq!(ours.candidate_hashes("a", b"value").expect("hashes"), vec![hash]);
    }

    #[test]
    fn a_new_signing_key_signs_and_the_former_ones_still_verify() {
        let before = keys(1);
        let (old_id, old) = before.sign(b"one").expect("a signature");
        let after = before.clone().with_new_signing_key(|buffer| buffer.fill(9));
        let (new_id, new) = after.sign(b"one").expect("a signature");
        assert_ne!(old_id, new_id);
        let public = after.public_keys().expect("keys");
        assert_eq!(public.iter().map(PublicKey::id).collect::<Vec<_>>(), [new_id, old_id]);
        assert!(public[0].verifies(b"one", &new) && public[1].verifies(b"one", &old));
        assert!(!public[0].verifies(b"one", &old));
        // What tells the keys of a database from others is not about what signs.
        assert_eq!(before.fingerprint(), after.fingerprint());
    }
}
