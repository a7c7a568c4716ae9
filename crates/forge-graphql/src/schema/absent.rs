//! GitHub's types of things that this forge has none of.
//!
//! Their Rust types have no values: a connection to them is empty and a field of theirs is null because nothing else
//! can be written. Whoever builds one of these things gives its type values, and the compiler shows every place.

use std::convert::Infallible;

use async_graphql::{ID, Object, SimpleObject};

use super::page::PageInfo;
use super::scalar::{DateTime, Uri};

/// Returns anything at all, from a value that cannot exist.
pub(super) fn absurd<T>(never: &Infallible) -> T {
    match *never {}
}

macro_rules! absent {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name(Infallible);

        #[Object]
        impl $name {
            $(async fn $field(&self) -> $ty {
                absurd(&self.0)
            })*
        }
    )* };
}

absent! {
    /// The Code of Conduct for a repository
    CodeOfConduct { id: ID, key: String, name: String, url: Option<Uri> }

    /// A repository contact link.
    RepositoryContactLink { about: String, name: String, url: Uri }

    /// A funding platform link for a repository.
    FundingLink { platform: FundingPlatform, url: Uri }

    /// A repository issue template.
    IssueTemplate { about: Option<String>, body: Option<String>, filename: String, name: String, title: Option<String> }

    /// A repository pull request template.
    PullRequestTemplate { body: Option<String>, filename: Option<String> }

    /// Represents a given language found in repositories.
    Language { color: Option<String>, id: ID, name: String }

    /// A release contains the content for a release.
    Release {
        created_at: DateTime, database_id: Option<i32>, id: ID, is_draft: bool, is_latest: bool, is_prerelease: bool,
        name: Option<String>, published_at: Option<DateTime>, tag_name: String, url: Uri,
    }

    /// Represents a Milestone object on a given repository.
    Milestone {
        description: Option<String>, due_on: Option<DateTime>, id: ID, number: i32, title: String, url: Uri,
    }

    /// Projects manage issues, pull requests and notes within a project owner.
    Project { body: Option<String>, id: ID, name: String, number: i32, resource_path: Uri, url: Uri }
}

/// New projects that manage issues, pull requests and drafts using tables and boards.
#[derive(Clone)]
pub(crate) struct ProjectV2(Infallible);

#[Object(name = "ProjectV2")]
impl ProjectV2 {
    async fn closed(&self) -> bool {
        absurd(&self.0)
    }

    async fn id(&self) -> ID {
        absurd(&self.0)
    }

    async fn number(&self) -> i32 {
        absurd(&self.0)
    }

    async fn resource_path(&self) -> Uri {
        absurd(&self.0)
    }

    async fn title(&self) -> String {
        absurd(&self.0)
    }

    async fn url(&self) -> Uri {
        absurd(&self.0)
    }
}

/// The possible funding platforms for repository funding links.
#[derive(async_graphql::Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FundingPlatform {
    Custom,
    Github,
}

/// A list of issues, of which only the number is known: none.
#[derive(SimpleObject, Default)]
pub(crate) struct IssueConnection {
    /// Information to aid in pagination.
    page_info: PageInfo,
    /// Identifies the total count of items in the connection.
    total_count: i32,
}

/// A list of pull requests, of which only the number is known: none.
#[derive(SimpleObject, Default)]
pub(crate) struct PullRequestConnection {
    /// Information to aid in pagination.
    page_info: PageInfo,
    /// Identifies the total count of items in the connection.
    total_count: i32,
}
