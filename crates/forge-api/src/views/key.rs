//! SSH public keys.

use forge_types::Timestamp;
use forge_types::public_key::PublicKey;
use serde::Serialize;

use super::Links;

/// GitHub's `key`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct KeyView {
    pub key: String,
    pub id: i64,
    pub url: String,
    pub title: String,
    pub created_at: Timestamp,
    pub verified: bool,
    pub read_only: bool,
}

impl KeyView {
    /// Creates the view of a key to its owner.
    #[must_use]
    pub fn new(links: &Links, key: &PublicKey) -> Self {
        Self {
            key: key.key.clone(),
            id: key.id.0,
            url: links.api(&format!("user/keys/{}", key.id)),
            title: key.title.clone(),
            created_at: key.created_at,
            verified: true,
            read_only: false,
        }
    }
}

/// GitHub's `key-simple`: a key to everyone.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct SimpleKey {
    pub id: i64,
    pub key: String,
    pub created_at: Timestamp,
}

impl From<&PublicKey> for SimpleKey {
    fn from(key: &PublicKey) -> Self {
        Self { id: key.id.0, key: key.key.clone(), created_at: key.created_at }
    }
}

/// GitHub's `ssh-signing-key`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct SigningKey {
    pub id: i64,
    pub key: String,
    pub title: String,
    pub created_at: Timestamp,
}

impl From<&PublicKey> for SigningKey {
    fn from(key: &PublicKey) -> Self {
        Self { id: key.id.0, key: key.key.clone(), title: key.title.clone(), created_at: key.created_at }
    }
}
