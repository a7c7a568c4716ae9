//! Refs.

use async_graphql::{Context, ID, Object};
use forge_service::objects;
use forge_service::repositories::VisibleRef;
use forge_service::target::RepositoryTarget;
use forge_types::node_id::NodeId;
use forge_types::repository::RepositoryAccess;
use forge_types::{ErrorKind, RefName, Result};

use super::GitObject;
use crate::schema::repository::Repository;
use crate::schema::{Later, Nullable, forge, nullable};

/// A branch or tag.
#[derive(Clone)]
pub(crate) struct Ref {
    repository: Repository,
    name: RefName,
}

impl Ref {
    /// Returns a ref of a repository.
    pub(crate) const fn new(repository: Repository, name: RefName) -> Self {
        Self { repository, name }
    }

    /// Returns a ref as a use case found it.
    pub(crate) fn of(access: RepositoryAccess, found: VisibleRef) -> Self {
        Self::new(Repository::single(access), found.name)
    }

    /// Returns what stands before the name, such as `refs/heads/`, and the name.
    fn parts(&self) -> (&str, &str) {
        let full = self.name.as_str();
        let short = self.name.short();
        match full.strip_suffix(short).filter(|prefix| !prefix.is_empty()) {
            Some(prefix) => (prefix, short),
            None => full.split_at("refs/".len()),
        }
    }

    fn find_target<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Option<GitObject>>> {
        Box::pin(async move {
            let id = RepositoryTarget::Id(self.repository.found().access.repository.id);
            match objects::find(forge(ctx), id, self.name.as_str()).await {
                Ok((_, object)) => Ok(Some(GitObject::of(self.repository.clone(), object))),
                Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

/// Represents a Git reference.
#[Object]
impl Ref {
    /// The Node ID of the Ref object
    pub(crate) async fn id(&self) -> ID {
        let id = self.repository.found().access.repository.id;
        ID(NodeId::Ref(id, self.name.as_str().to_owned()).to_string())
    }

    /// The ref name.
    async fn name(&self) -> &str {
        self.parts().1
    }

    /// The ref's prefix, such as `refs/heads/` or `refs/tags/`.
    async fn prefix(&self) -> &str {
        self.parts().0
    }

    /// The repository the ref belongs to.
    async fn repository(&self) -> Repository {
        self.repository.clone()
    }

    /// The object the ref points to. Returns null when object does not exist.
    async fn target(&self, ctx: &Context<'_>) -> Nullable<GitObject> {
        nullable(self.find_target(ctx).await)
    }
}
