//! Public keys of agents: what an agent proves itself with instead of a secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::{AccountId, AgentKeyId};

/// How long a key that was replaced is still good.
pub const KEY_RETIREMENT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPurpose {
    /// Signing client assertions and proofs of possession.
    Dpop,
    /// Being in the certificates with which the agent makes connections.
    Mtls,
}

impl KeyPurpose {
    /// Returns the name in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Mtls => "mtls",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Dpop, Self::Mtls].into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// What a key is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It stands.
    Active,
    /// It was replaced and is good for a while.
    Retiring,
    /// It was withdrawn, or has retired.
    Revoked,
}

impl KeyState {
    /// Returns the name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Revoked => "revoked",
        }
    }
}

/// A public key of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentKey {
    /// The key's id.
    pub id: AgentKeyId,
    /// The agent.
    pub agent_id: AccountId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The algorithm it signs with.
    pub algorithm: String,
    /// The key, as JWK.
    pub public_key: String,
    /// Its thumbprint.
    pub thumbprint: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it stops, once another has replaced it.
    pub retires_at: Option<Timestamp>,
    /// When it was withdrawn.
    pub revoked_at: Option<Timestamp>,
    /// When it last proved the agent.
    pub last_used_at: Option<Timestamp>,
}

impl AgentKey {
    /// Returns what the key is at `now`; the instant at which it has retired is already too late.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked_at, self.retires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(end)) if now >= end => KeyState::Revoked,
            (None, Some(_)) => KeyState::Retiring,
            (None, None) => KeyState::Active,
        }
    }
}
