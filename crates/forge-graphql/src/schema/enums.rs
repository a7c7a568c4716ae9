//! GitHub's enums, with what they mean here.

use async_graphql::Enum;
use forge_types::Permission;
use forge_types::repository::{RepositorySettings, Visibility};

macro_rules! github_enums {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant),* }
    )* };
}

github_enums! {
    /// Possible directions in which to order a list of items when provided an `orderBy` argument.
    OrderDirection { Asc, Desc }

    /// Properties by which label connections can be ordered.
    LabelOrderField { CreatedAt, Name }

    /// Properties by which repository connections can be ordered.
    RepositoryOrderField { CreatedAt, Name, PushedAt, UpdatedAt }

    /// The affiliation of a user to a repository
    RepositoryAffiliation { Collaborator, OrganizationMember, Owner }

    /// The privacy of a repository
    RepositoryPrivacy { Private, Public }

    /// The repository's visibility level.
    RepositoryVisibility { Internal, Private, Public }

    /// The access level to a repository
    RepositoryPermission { Admin, Maintain, Read, Triage, Write }

    /// Represents available types of methods to use when merging a pull request.
    PullRequestMergeMethod { Merge, Rebase, Squash }

    /// The possible states of a subscription.
    SubscriptionState { Ignored, Subscribed, Unsubscribed }

    /// The possible states of an issue.
    IssueState { Closed, Open }

    /// The possible states of a pull request.
    PullRequestState { Closed, Merged, Open }

    /// The possible states of a milestone.
    MilestoneState { Closed, Open }

    /// State of the project; either 'open' or 'closed'
    ProjectState { Closed, Open }
}

impl From<Visibility> for RepositoryVisibility {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Public => Self::Public,
            Visibility::Internal => Self::Internal,
            Visibility::Private => Self::Private,
        }
    }
}

impl From<RepositoryVisibility> for Visibility {
    fn from(visibility: RepositoryVisibility) -> Self {
        match visibility {
            RepositoryVisibility::Public => Self::Public,
            RepositoryVisibility::Internal => Self::Internal,
            RepositoryVisibility::Private => Self::Private,
        }
    }
}

impl From<Permission> for RepositoryPermission {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Read => Self::Read,
            Permission::Triage => Self::Triage,
            Permission::Write => Self::Write,
            Permission::Maintain => Self::Maintain,
            Permission::Admin => Self::Admin,
        }
    }
}

impl PullRequestMergeMethod {
    /// Returns the method that is offered first.
    pub(crate) fn default_of(settings: &RepositorySettings) -> Self {
        if settings.allow_merge_commit {
            Self::Merge
        } else if settings.allow_squash_merge {
            Self::Squash
        } else {
            Self::Rebase
        }
    }
}
