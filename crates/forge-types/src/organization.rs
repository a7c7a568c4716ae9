//! Organizations, their members, and teams.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::id::{AccountId, TeamId};
use crate::{Permission, Timestamp};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its account.
    pub account: Account,
    /// What members may do in every repository of the organization; `None` is nothing.
    pub default_permission: Option<Permission>,
    /// Whether members who are not owners may create repositories.
    pub members_can_create_repositories: bool,
}

/// What a member is in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganizationRole {
    /// A member.
    Member,
    /// An owner; GitHub's API calls the role `admin`. Never an agent.
    Admin,
}

impl OrganizationRole {
    /// Returns the name in GitHub's API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Member, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// What a member is in the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeamRole {
    /// A member.
    Member,
    /// May add and remove members.
    Maintainer,
}

impl TeamRole {
    /// Returns the name in GitHub's API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Maintainer => "maintainer",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Member, Self::Maintainer].into_iter().find(|role| role.as_str() == name)
    }
}

/// Who may see a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeamPrivacy {
    /// Owners and its members.
    Secret,
    /// Every member of the organization.
    Closed,
}

impl TeamPrivacy {
    /// Returns the name in GitHub's API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Closed => "closed",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Secret, Self::Closed].into_iter().find(|privacy| privacy.as_str() == name)
    }
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// The team's id.
    pub id: TeamId,
    /// The organization it belongs to.
    pub organization_id: AccountId,
    /// The organization's login.
    pub organization_login: String,
    /// The display name.
    pub name: String,
    /// The name in URLs; unique in the organization.
    pub slug: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// Who may see it.
    pub privacy: TeamPrivacy,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
