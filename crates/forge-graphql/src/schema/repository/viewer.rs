//! What the caller is to a repository.

use async_graphql::{Context, Object};
use forge_service::batch;
use forge_types::{Permission, Result};

use super::Found;
use crate::schema::enums::{PullRequestMergeMethod, RepositoryPermission, SubscriptionState};
use crate::schema::{Later, Nullable, forge, found, nullable};

#[derive(Clone)]
pub(super) struct Viewer(pub(super) Found);

impl Viewer {
    /// Returns the caller's own address, loaded once for the whole list.
    fn email<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Option<String>>> {
        Box::pin(async move {
            let id = forge(ctx).account()?.id;
            let load = async { batch::accounts(forge(ctx), &[id]).await };
            let accounts = self.0.cohort.load("viewer", &(), load).await?;
            Ok(accounts.get(&id).and_then(|account| account.email.clone()))
        })
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
        nullable(self.email(ctx).await)
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
        found(self.email(ctx).await.map(|email| email.into_iter().collect()))
    }

    /// Identifies if the viewer is watching, not watching, or ignoring the subscribable entity.
    async fn viewer_subscription(&self) -> Option<SubscriptionState> {
        Some(SubscriptionState::Unsubscribed)
    }
}
