//! GitHub's interfaces, and which of our types have them.

use async_graphql::{ID, Interface};

use super::Nullable;
use super::account::{Organization, Profile, User};
use super::enums::{RepositoryAffiliation, RepositoryPrivacy, RepositoryVisibility};
use super::git::{Blob, Commit, GitObject, Ref, Tag, Tree};
use super::label::Label;
use super::page::Connection;
use super::repositories::RepositoryOrder;
use super::repository::Repository;
use super::repository::license::License;
use super::scalar::Uri;
use super::team::Team;

/// An object with an ID.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "ID of the object."))]
pub(crate) enum Node {
    Blob(Blob),
    Commit(Commit),
    Label(Label),
    License(License),
    Organization(Organization),
    Ref(Ref),
    Repository(Repository),
    Tag(Tag),
    Team(Team),
    Tree(Tree),
    User(User),
}

impl From<GitObject> for Node {
    fn from(object: GitObject) -> Self {
        match object {
            GitObject::Blob(blob) => Self::Blob(blob),
            GitObject::Commit(commit) => Self::Commit(commit),
            GitObject::Tag(tag) => Self::Tag(tag),
            GitObject::Tree(tree) => Self::Tree(tree),
        }
    }
}

/// Represents an owner of a Repository.
#[derive(Interface)]
#[expect(clippy::duplicated_attributes, reason = "several fields have the same type")]
#[graphql(
    field(name = "avatar_url", ty = "Uri", arg(name = "size", ty = "Option<i32>")),
    field(name = "id", ty = "ID"),
    field(name = "login", ty = "String"),
    field(
        name = "repositories",
        ty = "Connection<Repository>",
        arg(name = "after", ty = "Option<String>"),
        arg(name = "before", ty = "Option<String>"),
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "is_archived", ty = "Option<bool>"),
        arg(name = "is_fork", ty = "Option<bool>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "order_by", ty = "Option<RepositoryOrder>"),
        arg(
            name = "owner_affiliations",
            ty = "Option<Vec<Option<RepositoryAffiliation>>>",
            default_with = "Some(vec![Some(RepositoryAffiliation::Owner), Some(RepositoryAffiliation::Collaborator)])"
        ),
        arg(name = "privacy", ty = "Option<RepositoryPrivacy>"),
        arg(name = "visibility", ty = "Option<RepositoryVisibility>")
    ),
    field(
        name = "repository",
        ty = "Nullable<Repository>",
        arg(name = "follow_renames", ty = "Option<bool>", default_with = "Some(true)"),
        arg(name = "name", ty = "String")
    ),
    field(name = "resource_path", ty = "Uri"),
    field(name = "url", ty = "Uri")
)]
pub(crate) enum RepositoryOwner {
    Organization(Organization),
    User(User),
}

impl From<Profile> for RepositoryOwner {
    fn from(profile: Profile) -> Self {
        match Organization::of(profile.clone()) {
            Some(organization) => Self::Organization(organization),
            None => Self::User(User(profile)),
        }
    }
}
