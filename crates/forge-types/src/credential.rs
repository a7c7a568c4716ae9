//! Credentials: kinds, lifetimes and what the forge remembers of each. Values exist only in the answer that shows them.

use std::time::Duration;

pub use crate::audience::Audience;
use crate::id::{AccountId, CredentialId, GrantId};
use crate::{Scopes, Timestamp};

/// What a credential is for. The letter stands in the token after the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// A secret that is good only at the token endpoint.
    Bootstrap,
    /// A standing token: a human's personal access token or an agent's own token.
    Personal,
    /// An access token an OAuth client obtained.
    OAuth,
    /// A short session an agent obtained with its bootstrap secret.
    Session,
    /// A human acting as an agent.
    Switch,
    /// What an agent may do for one task, under a grant.
    Task,
    /// For the Git transport of one repository.
    Git,
    /// For one tool, which gets nothing else of its caller.
    Tool,
    /// A refresh token; never an access token.
    Refresh,
}

impl Credential {
    /// Returns whether stealing its value would not do: it is good only with the key it is bound to, or the certificate.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.cnf_jkt.is_some() || self.cnf_x5t.is_some()
    }
}

impl CredentialKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Bootstrap,
        Self::Personal,
        Self::OAuth,
        Self::Session,
        Self::Switch,
        Self::Task,
        Self::Git,
        Self::Tool,
        Self::Refresh,
    ];

    /// Returns the letter in the token, also kept in the database.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Bootstrap => 'b',
            Self::Personal => 'p',
            Self::OAuth => 'o',
            Self::Session => 's',
            Self::Switch => 'w',
            Self::Task => 't',
            Self::Git => 'g',
            Self::Tool => 'x',
            Self::Refresh => 'r',
        }
    }

    /// Reads the letter written by [`Self::letter`].
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// Returns the name shown to people and written to the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Personal => "personal",
            Self::OAuth => "oauth",
            Self::Session => "session",
            Self::Switch => "switch",
            Self::Task => "task",
            Self::Git => "git",
            Self::Tool => "tool",
            Self::Refresh => "refresh",
        }
    }

    /// Returns whether it opens REST, GraphQL and git; the others are good only at the token endpoint.
    #[must_use]
    pub const fn is_access_token(self) -> bool {
        !matches!(self, Self::Bootstrap | Self::Refresh)
    }

    /// Returns the longest a credential of this kind may live; `None` for those that may stand.
    #[must_use]
    pub const fn max_lifetime(self) -> Option<Duration> {
        const HOUR: u64 = 60 * 60;
        Some(Duration::from_secs(match self {
            Self::Personal | Self::OAuth => return None,
            Self::Bootstrap => 365 * 24 * HOUR,
            Self::Session => 8 * HOUR,
            Self::Switch => HOUR / 4,
            Self::Task => HOUR,
            Self::Git => HOUR / 6,
            Self::Tool => HOUR / 12,
            Self::Refresh => 180 * 24 * HOUR,
        }))
    }

    /// Returns whether, unlike the others, a credential of this kind may create further ones.
    #[must_use]
    pub const fn may_mint(self) -> bool {
        !matches!(self, Self::Switch | Self::Git | Self::Tool | Self::Refresh)
    }
}

/// How long a switch session lasts before it must be renewed.
pub const SWITCH_SESSION_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How long a switch session can be renewed, from its opening.
pub const SWITCH_SESSION_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// What the forge remembers of a credential; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The credential's id.
    pub id: CredentialId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What it is for.
    pub kind: CredentialKind,
    /// The last four characters, for telling credentials apart.
    pub tail: String,
    /// The name its maker gave it.
    pub name: String,
    /// What it is limited to; `None` means everything its account may do.
    pub scopes: Option<Scopes>,
    /// The human who acts through it, for switch sessions.
    pub acting_id: Option<AccountId>,
    /// The OAuth client it was issued to.
    pub client_id: Option<String>,
    /// All credentials that descend from one authorization.
    pub family: String,
    /// The credential it was derived from.
    pub parent_id: Option<CredentialId>,
    /// The grant it is a token for.
    pub grant_id: Option<GrantId>,
    /// Where it is good for anything; `None` means wherever its kind is.
    pub audience: Option<Audience>,
    /// The thumbprint of the key it is bound to: it is good only with a proof of that key.
    pub cnf_jkt: Option<String>,
    /// The SHA-256 of the client certificate it is bound to, in base64url: it is good on a connection with that alone.
    pub cnf_x5t: Option<String>,
    /// What whoever bears it runs in, where that was proved: the issuer that vouched for it, a space, and the subject.
    pub runtime: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops; the instant itself is already too late.
    pub expires_at: Option<Timestamp>,
    /// The instant past which renewing cannot reach.
    pub renewable_until: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was used up, for what is good once.
    pub consumed_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
