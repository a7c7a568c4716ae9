//! Objects that are no commits, and what all have in common.

use async_graphql::{Context, ID, Interface, Object};
use forge_service::objects::{self, BlobText, ObjectKind};
use forge_types::ObjectId;
use forge_types::node_id::{NodeId, ObjectNodeKind};

use super::Commit;
use super::actor::GitActor;
use crate::schema::repository::Repository;
use crate::schema::scalar::{GitObjectId, Uri};
use crate::schema::{forge, int};

/// Represents a Git object.
#[derive(Interface)]
#[expect(clippy::duplicated_attributes, reason = "several fields have the same type")]
#[graphql(
    field(name = "abbreviated_oid", ty = "String", desc = "An abbreviated version of the Git object ID"),
    field(name = "commit_resource_path", ty = "Uri", desc = "The HTTP path for this Git object"),
    field(name = "commit_url", ty = "Uri", desc = "The HTTP URL for this Git object"),
    field(name = "id", ty = "ID", desc = "The Node ID of the GitObject object"),
    field(name = "oid", ty = "GitObjectId", desc = "The Git object ID"),
    field(name = "repository", ty = "Repository", desc = "The Repository the Git object belongs to")
)]
pub(crate) enum GitObject {
    Blob(Blob),
    Commit(Commit),
    Tag(Tag),
    Tree(Tree),
}

impl GitObject {
    /// Returns an object as a use case found it.
    pub(crate) fn of(repository: Repository, object: objects::Object) -> Self {
        let base = Base { repository, id: object.id(), kind: node_kind(object.kind()) };
        match object {
            objects::Object::Blob(blob) => Self::Blob(Blob { base, blob }),
            objects::Object::Commit(commit) => Self::Commit(Commit { base, commit }),
            objects::Object::Tag(tag) => Self::Tag(Tag { base, tag }),
            objects::Object::Tree(_) => Self::Tree(Tree { base }),
        }
    }

    /// Returns what node ids call its kind.
    pub(crate) const fn node_kind(&self) -> ObjectNodeKind {
        match self {
            Self::Blob(_) => ObjectNodeKind::Blob,
            Self::Commit(_) => ObjectNodeKind::Commit,
            Self::Tag(_) => ObjectNodeKind::Tag,
            Self::Tree(_) => ObjectNodeKind::Tree,
        }
    }
}

const fn node_kind(kind: ObjectKind) -> ObjectNodeKind {
    match kind {
        ObjectKind::Commit => ObjectNodeKind::Commit,
        ObjectKind::Tree => ObjectNodeKind::Tree,
        ObjectKind::Blob => ObjectNodeKind::Blob,
        ObjectKind::Tag => ObjectNodeKind::Tag,
    }
}

/// What every object has.
#[derive(Clone)]
pub(super) struct Base {
    pub(super) repository: Repository,
    pub(super) id: ObjectId,
    pub(super) kind: ObjectNodeKind,
}

impl Base {
    pub(super) fn node_id(&self) -> ID {
        ID(NodeId::Object(self.kind, self.repository.found().access.repository.id, self.id).to_string())
    }

    /// Returns the path of a page about it; the page of a commit stands for all that is in it.
    pub(super) fn path(&self, folder: &str) -> String {
        format!("/{}/{folder}/{}", self.repository.found().access.repository.full_name(), self.id)
    }
}

/// Represents a Git blob.
pub(crate) struct Blob {
    base: Base,
    blob: BlobText,
}

#[Object]
impl Blob {
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

    /// The Node ID of the Blob object
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

    /// Byte size of Blob object
    async fn byte_size(&self) -> i32 {
        int(i64::try_from(self.blob.size).unwrap_or(i64::MAX))
    }

    /// Indicates whether the Blob is binary or text. Returns null if unable to determine the encoding.
    async fn is_binary(&self) -> Option<bool> {
        Some(self.blob.text.is_none())
    }

    /// Indicates whether the contents is truncated
    async fn is_truncated(&self) -> bool {
        self.blob.is_truncated
    }

    /// UTF8 text data or null if the Blob is binary
    async fn text(&self) -> Option<&str> {
        self.blob.text.as_deref()
    }
}

/// Represents a Git tree.
#[derive(Clone)]
pub(crate) struct Tree {
    pub(super) base: Base,
}

#[Object]
impl Tree {
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

    /// The Node ID of the Tree object
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
}

/// Represents a Git tag.
pub(crate) struct Tag {
    base: Base,
    tag: objects::Tag,
}

#[Object]
impl Tag {
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

    /// The Node ID of the Tag object
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

    /// The Git tag message.
    async fn message(&self) -> Option<&str> {
        Some(&self.tag.message)
    }

    /// The Git tag name.
    async fn name(&self) -> &str {
        &self.tag.name
    }

    /// Details about the tag author.
    async fn tagger(&self) -> Option<GitActor> {
        self.tag.tagger.as_ref().map(GitActor::from)
    }
}
