//! SSH public keys of accounts.

use crate::Timestamp;
use crate::id::{AccountId, PublicKeyId};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublicKeyUse {
    /// Signing in over SSH.
    Authentication,
    /// Signing commits, tags and pushes.
    Signing,
}

impl PublicKeyUse {
    /// Returns the name kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Signing => "signing",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Authentication, Self::Signing].into_iter().find(|usage| usage.as_str() == name)
    }
}

/// A public key of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The key's id.
    pub id: PublicKeyId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What it is for.
    pub usage: PublicKeyUse,
    /// The name its owner gave it.
    pub title: String,
    /// Algorithm and key, without comment.
    pub key: String,
    /// `SHA256:` and the unpadded base64 of the key's hash; unique per use.
    pub fingerprint: String,
    /// When it was added.
    pub created_at: Timestamp,
}
