//! What the caller is to a repository.

use std::sync::Arc;

use async_graphql::{Context, Object};
use forge_service::accounts;
use forge_types::{Permission, Result};

use super::Found;
use crate::schema::enums::{PullRequestMergeMethod, RepositoryPermission, SubscriptionState};
use crate::schema::{Later, Nullable, forge, found, nullable};

#[derive(Clone)]
pub(super) struct Viewer(pub(super) Found);

impl Viewer {
    /// Returns the caller's addresses for commits, loaded once for the whole list.
    fn emails<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Arc<Vec<String>>>> {
        Box::pin(self.0.cohort.load("viewer", &(), accounts::commit_emails(forge(ctx))))
    }
}

#[Object]
impl Viewer {
    /// Indicates whether the viewer has admin permissions on this repository.
    async fn viewer_can_administer(&self) -> bool {
        self.0.access.permission == Some(Permission::Admin)
    }

    /// Indicates whether the viewer can update the topics of this repository.
    async fn viewer_can_update_topics(&self) -> bool {
        self.0.access.permission >= Some(Permission::Maintain)
    }

    /// The last commit email for the viewer.
    async fn viewer_default_commit_email(&self, ctx: &Context<'_>) -> Nullable<String> {
        nullable(self.emails(ctx).await.map(|emails| emails.first().cloned()))
    }

    /// The last commit method the viewer used, or the first that the repository allows.
    async fn viewer_default_merge_method(&self) -> PullRequestMergeMethod {
        PullRequestMergeMethod::default_of(&self.0.access.repository.settings)
    }

    /// Returns a boolean indicating whether the viewing user has starred this starrable.
    async fn viewer_has_starred(&self) -> bool {
        false
    }

    /// The users permission level on the repository. Whoever sees a repository may read it.
    async fn viewer_permission(&self) -> Option<RepositoryPermission> {
        Some(self.0.access.permission.unwrap_or(Permission::Read).into())
    }

    /// A list of emails this viewer can commit with.
    async fn viewer_possible_commit_emails(&self, ctx: &Context<'_>) -> Nullable<Vec<String>> {
        found(self.emails(ctx).await.map(|emails| emails.to_vec()))
    }

    /// Identifies if the viewer is watching, not watching, or ignoring the subscribable entity.
    async fn viewer_subscription(&self) -> Option<SubscriptionState> {
        Some(SubscriptionState::Unsubscribed)
    }
}
