//! The keys that hash credentials and seal what must be read again. They live in a file of their own, apart from the
//! database; every hashed or sealed value carries the id of its key, and the previous keys are still accepted.

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

/// The keys of a forge as their file holds them: the current generation first.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    generation: Vec<Generation>,
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
        Self { generation: vec![Generation { id, hash, seal }] }
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
        })
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
}
