//! Topics: the words to find a repository by.

use async_graphql::{Context, ID, Object};
use forge_types::node_id::NodeId;

use crate::schema::forge;
use crate::schema::scalar::Uri;

/// A topic of a repository.
#[derive(Clone)]
pub(crate) struct RepositoryTopic(pub(crate) Topic);

/// A topic.
#[derive(Clone)]
pub(crate) struct Topic(pub(crate) String);

impl RepositoryTopic {
    fn path(&self) -> String {
        format!("/topics/{}", self.0.0)
    }
}

/// A repository-topic connects a repository to a topic.
#[Object]
impl RepositoryTopic {
    /// The HTTP path for this repository-topic.
    async fn resource_path(&self) -> Uri {
        Uri(self.path())
    }

    /// The topic.
    async fn topic(&self) -> Topic {
        self.0.clone()
    }

    /// The HTTP URL for this repository-topic.
    async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.path())
    }
}

/// A topic aggregates entities that are related to a subject.
#[Object]
impl Topic {
    /// The Node ID of the Topic object
    async fn id(&self) -> ID {
        ID(NodeId::Topic(self.0.clone()).to_string())
    }

    /// The topic's name.
    async fn name(&self) -> String {
        self.0.clone()
    }
}
