//! Refs.

use async_graphql::{ID, Object};
use forge_types::node_id::NodeId;

use super::Repository;

/// A branch or tag.
pub(crate) struct Ref {
    pub(crate) repository: Repository,
    /// The name after the prefix.
    pub(crate) name: String,
    /// What the full name begins with: `refs/heads/`.
    pub(crate) prefix: &'static str,
}

/// Represents a Git reference.
#[Object]
impl Ref {
    /// The Node ID of the Ref object
    async fn id(&self) -> ID {
        let full_name = format!("{}{}", self.prefix, self.name);
        ID(NodeId::Ref(self.repository.found().access.repository.id, full_name).to_string())
    }

    /// The ref name.
    async fn name(&self) -> String {
        self.name.clone()
    }

    /// The ref's prefix, such as `refs/heads/` or `refs/tags/`.
    async fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The repository the ref belongs to.
    async fn repository(&self) -> Repository {
        self.repository.clone()
    }
}
