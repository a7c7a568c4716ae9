//! What an account may do in a repository: GitHub's five permissions, in order.

use serde::{Deserialize, Serialize};

/// A repository permission; each includes those before it
/// (<https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Read, clone and discuss.
    Read,
    /// Manage issues and pull requests, without writing code.
    Triage,
    /// Push.
    Write,
    /// Manage the repository, without access to sensitive or destructive actions.
    Maintain,
    /// Everything, including sensitive and destructive actions.
    Admin,
}

impl Permission {
    /// All permissions, weakest first.
    pub const ALL: [Self; 5] = [Self::Read, Self::Triage, Self::Write, Self::Maintain, Self::Admin];

    /// Reads a permission by the name in GitHub's API (`pull`, `push`) or on its pages (`read`, `write`).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "read" | "pull" => Self::Read,
            "triage" => Self::Triage,
            "write" | "push" => Self::Write,
            "maintain" => Self::Maintain,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    /// Returns the name as GitHub's pages write it: `read`, `triage`, `write`, `maintain`, `admin`.
    #[must_use]
    pub const fn role_name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// Returns the name as GitHub's API writes it: `pull`, `triage`, `push`, `maintain`, `admin`.
    #[must_use]
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Read => "pull",
            Self::Triage => "triage",
            Self::Write => "push",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// Returns the number under which the database keeps it; it grows with the permission.
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Read => 1,
            Self::Triage => 2,
            Self::Write => 3,
            Self::Maintain => 4,
            Self::Admin => 5,
        }
    }

    /// Reads the number written by [`Self::rank`].
    #[must_use]
    pub fn from_rank(rank: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.rank() == rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_rank_and_names_agree() {
        for pair in Permission::ALL.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].rank() < pair[1].rank());
        }
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.role_name()), Some(permission));
            assert_eq!(Permission::parse(permission.api_name()), Some(permission));
            assert_eq!(Permission::from_rank(permission.rank()), Some(permission));
        }
        assert_eq!(Permission::parse("owner"), None);
    }
}
