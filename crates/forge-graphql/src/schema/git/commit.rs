//! Commits.

use async_graphql::{Context, ID, Object};
use forge_service::objects;
use forge_types::node_id::ObjectNodeKind;
use forge_types::repository::RepositoryAccess;

use super::actor::{GitActor, time};
use super::object::{Base, Tree};
use crate::schema::forge;
use crate::schema::repository::Repository;
use crate::schema::scalar::{DateTime, GitObjectId, Uri};

/// A commit of a repository.
pub(crate) struct Commit {
    pub(super) base: Base,
    pub(super) commit: objects::Commit,
}

impl Commit {
    /// Returns a commit as a use case made it.
    pub(crate) fn of(access: RepositoryAccess, commit: objects::Commit) -> Self {
        let base =
            Base { repository: Repository::single(access), id: commit.id, kind: ObjectNodeKind::Commit };
        Self { base, commit }
    }

    fn directory(&self) -> Base {
        Base { id: self.commit.tree_id, kind: ObjectNodeKind::Tree, ..self.base.clone() }
    }

    /// Returns the first line of the message, and the rest.
    fn parts(&self) -> (&str, &str) {
        let message = self.commit.message.trim_end();
        let (headline, body) = message.split_once('\n').unwrap_or((message, ""));
        (headline, body.trim_start_matches('\n'))
    }
}

/// Represents a Git commit.
#[Object]
impl Commit {
    /// An abbreviated version of the Git object ID
    pub(crate) async fn abbreviated_oid(&self) -> String {
        self.base.id.short()
    }

    /// The HTTP path for this Git object
    pub(crate) async fn commit_resource_path(&self) -> Uri {
        Uri(self.base.path("commit"))
    }

    /// The HTTP URL for this Git object
    pub(crate) async fn commit_url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.base.path("commit"))
    }

    /// The Node ID of the Commit object
    pub(crate) async fn id(&self) -> ID {
        self.base.node_id()
    }

    /// The Git object ID
    pub(crate) async fn oid(&self) -> GitObjectId {
        GitObjectId(self.base.id.to_string())
    }

    /// The Repository the Git object belongs to
    pub(crate) async fn repository(&self) -> Repository {
        self.base.repository.clone()
    }

    /// Authorship details of the commit.
    async fn author(&self) -> Option<GitActor> {
        Some(GitActor::from(&self.commit.author))
    }

    /// Check if the committer and the author match.
    async fn authored_by_committer(&self) -> bool {
        let (author, committer) = (&self.commit.author, &self.commit.committer);
        (&author.name, &author.email) == (&committer.name, &committer.email)
    }

    /// The datetime when this commit was authored.
    async fn authored_date(&self) -> DateTime {
        DateTime(time(&self.commit.author))
    }

    /// The datetime when this commit was committed.
    async fn committed_date(&self) -> DateTime {
        DateTime(time(&self.commit.committer))
    }

    /// Committer details of the commit.
    async fn committer(&self) -> Option<GitActor> {
        Some(GitActor::from(&self.commit.committer))
    }

    /// The Git commit message
    async fn message(&self) -> &str {
        self.commit.message.trim_end_matches('\n')
    }

    /// The Git commit message body
    async fn message_body(&self) -> &str {
        self.parts().1
    }

    /// The Git commit message headline
    async fn message_headline(&self) -> &str {
        self.parts().0
    }

    /// The HTTP path for this commit
    async fn resource_path(&self) -> Uri {
        Uri(self.base.path("commit"))
    }

    /// Commit's root Tree
    async fn tree(&self) -> Tree {
        Tree { base: self.directory() }
    }

    /// The HTTP path for the tree of this commit
    async fn tree_resource_path(&self) -> Uri {
        Uri(self.base.path("tree"))
    }

    /// The HTTP URL for the tree of this commit
    async fn tree_url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.base.path("tree"))
    }

    /// The HTTP URL for this commit
    async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.base.path("commit"))
    }
}
