//! Accounts: everything that has a login. Humans and agents act; organizations own.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::AccountId;

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// A person, who signs in.
    Human,
    /// A program with an identity of its own, which never signs in on a page and holds no password.
    Agent,
    /// A group that owns repositories; it never acts.
    Organization,
}

impl AccountKind {
    /// Returns the name kept in the database and shown as `user_kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Agent => "agent",
            Self::Organization => "organization",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Human, Self::Agent, Self::Organization].into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns GitHub's `type`: agents are users to clients that know only two types.
    #[must_use]
    pub const fn github_type(self) -> &'static str {
        match self {
            Self::Human | Self::Agent => "User",
            Self::Organization => "Organization",
        }
    }
}

/// Whether an account may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// It may act.
    Active,
    /// It may not act until it is restored; all its credentials stop at once.
    Suspended,
    /// It is gone; its login stays reserved.
    Deleted,
}

impl AccountStatus {
    /// Returns the name kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Deleted].into_iter().find(|status| status.as_str() == name)
    }
}

/// A human, an agent or an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// What it is.
    pub kind: AccountKind,
    /// The name in URLs, in the case it was registered with.
    pub login: String,
    /// The display name.
    pub name: Option<String>,
    /// The address, which is for the account itself unless it shows it.
    pub email: Option<String>,
    /// Whether the account shows its address to others. An organization always does: it has no other use for one.
    pub is_email_public: bool,
    /// A sentence about the account.
    pub description: Option<String>,
    /// Whether it may act.
    pub status: AccountStatus,
    /// Whether it administers the whole forge; never an agent or organization.
    pub is_site_admin: bool,
    /// Who created it, when somebody did.
    pub created_by: Option<AccountId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its profile last changed.
    pub updated_at: Timestamp,
}

/// The little that an answer shows of an account it mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRef {
    /// The account's id.
    pub id: AccountId,
    /// What it is.
    pub kind: AccountKind,
    /// The name in URLs.
    pub login: String,
    /// The display name.
    pub name: Option<String>,
    /// Whether it administers the whole forge.
    pub is_site_admin: bool,
}

impl From<&Account> for AccountRef {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            kind: account.kind,
            login: account.login.clone(),
            name: account.name.clone(),
            is_site_admin: account.is_site_admin,
        }
    }
}
