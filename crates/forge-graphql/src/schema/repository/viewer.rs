//! What the caller is to a repository.

use async_graphql::Object;
use forge_types::Permission;

use super::Found;
use crate::schema::enums::{PullRequestMergeMethod, RepositoryPermission, SubscriptionState};

#[derive(Clone)]
pub(super) struct Viewer(pub(super) Found);

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

    /// Identifies if the viewer is watching, not watching, or ignoring the subscribable entity.
    async fn viewer_subscription(&self) -> Option<SubscriptionState> {
        Some(SubscriptionState::Unsubscribed)
    }
}
