//! Which repositories a list is to hold, and in which order.

use crate::id::{AccountId, RepositoryId};
use crate::repository::Visibility;

/// Which repositories exist for a subject; made by the policy alone, applied by the store to every list.
///
/// INVARIANT: a repository passes exactly if the decision about reading it would be to allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleRepositories {
    /// Whose permissions count; none when anonymous.
    pub principal: Option<AccountId>,
    /// Whether public ones do.
    pub public: bool,
    /// Whether internal ones do.
    pub internal: bool,
    /// Whether those do in which the principal has a permission, whatever their visibility.
    pub permitted: bool,
    /// The only ones that count at all, for a token that is about some.
    pub only: Option<Vec<RepositoryId>>,
}

/// What repositories are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepositorySort {
    /// When they were created.
    Created,
    /// When they were last changed.
    Updated,
    /// When they were last pushed to; a repository never pushed to counts from its creation.
    Pushed,
    /// `OWNER/NAME`.
    #[default]
    FullName,
    /// How large they are.
    Size,
}

impl RepositorySort {
    /// Reads GitHub's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "created" => Self::Created,
            "updated" => Self::Updated,
            "pushed" => Self::Pushed,
            "full_name" => Self::FullName,
            _ => return None,
        })
    }
}

/// The order of a list of repositories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepositoryOrder {
    /// What they are sorted by.
    pub sort: RepositorySort,
    /// Whether the greatest, latest or last comes first.
    pub descending: bool,
}

/// What a repository has to be to be listed; `None` does not filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepositoryFilter {
    /// Exactly this visibility.
    pub visibility: Option<Visibility>,
    /// Not public, or public.
    pub is_private: Option<bool>,
    /// A fork, or none.
    pub is_fork: Option<bool>,
    /// Archived, or not.
    pub is_archived: Option<bool>,
}

/// How an account is connected with the repositories of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affiliations {
    /// It owns them.
    pub owner: bool,
    /// It was added as a collaborator.
    pub collaborator: bool,
    /// It belongs to the organization or a team that has access.
    pub organization_member: bool,
}

impl Affiliations {
    /// Every connection.
    pub const ALL: Self = Self { owner: true, collaborator: true, organization_member: true };
    /// Ownership alone.
    pub const OWNER: Self = Self { owner: true, collaborator: false, organization_member: false };
}
