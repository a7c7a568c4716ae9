//! GitHub's interfaces, and which of our types have them.

use async_graphql::{ID, Interface};

use super::account::{Organization, Profile, User};
use super::label::Label;
use super::repository::Repository;
use super::scalar::Uri;

/// An object with an ID.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "ID of the object."))]
pub(crate) enum Node {
    Label(Label),
    Organization(Organization),
    Repository(Repository),
    User(User),
}

/// Represents an owner of a Repository.
#[derive(Interface)]
#[expect(clippy::duplicated_attributes, reason = "several fields have the same type")]
#[graphql(
    field(name = "avatar_url", ty = "Uri", arg(name = "size", ty = "Option<i32>")),
    field(name = "id", ty = "ID"),
    field(name = "login", ty = "String"),
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
