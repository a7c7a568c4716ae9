//! Users and organizations. Agents are users to clients that know only GitHub's types.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use forge_service::batch;
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::id::AccountId;
use forge_types::node_id::NodeId;
use forge_types::{Error, Result};

use super::forge;
use super::int;
use super::scalar::{DateTime, Uri};
use crate::cohort::Cohort;

/// An account as whoever mentions it knows it; the rest of its profile is loaded when it is asked for.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) account: AccountRef,
    cohort: Arc<Cohort<AccountId>>,
}

/// A human or an agent.
#[derive(Clone)]
pub(crate) struct User(pub(crate) Profile);

/// An organization.
#[derive(Clone)]
pub(crate) struct Organization(pub(crate) Profile);

impl Profile {
    /// Creates the profile of an account that is no member of a list.
    pub(crate) fn single(account: AccountRef) -> Self {
        let cohort = Cohort::new(vec![account.id]);
        Self { account, cohort }
    }

    /// Creates the profile of a member of a list.
    pub(crate) const fn member(account: AccountRef, cohort: Arc<Cohort<AccountId>>) -> Self {
        Self { account, cohort }
    }

    /// Returns the whole public profile, with those of the others of its list.
    async fn load(&self, ctx: &Context<'_>) -> Result<Account> {
        let load = batch::accounts(forge(ctx), self.cohort.members());
        let accounts = self.cohort.load("accounts", &(), load).await?;
        accounts.get(&self.account.id).cloned().ok_or_else(Error::not_found)
    }

    fn node_id(&self) -> ID {
        ID(NodeId::account(self.account.id, self.account.kind).to_string())
    }

    fn path(&self) -> String {
        format!("/{}", self.account.login)
    }

    /// Returns the address of the picture.
    pub(crate) fn avatar(&self, ctx: &Context<'_>, size: Option<i32>) -> Uri {
        let size = size.map(|size| format!("?s={size}")).unwrap_or_default();
        Uri::of(forge(ctx), &format!("/avatars/{}{size}", self.account.id))
    }
}

impl Organization {
    /// Returns the organization, if the account is one.
    pub(crate) fn of(profile: Profile) -> Option<Self> {
        (profile.account.kind == AccountKind::Organization).then_some(Self(profile))
    }
}

impl User {
    /// Returns the user, unless the account is an organization.
    pub(crate) fn of(profile: Profile) -> Option<Self> {
        (profile.account.kind != AccountKind::Organization).then_some(Self(profile))
    }
}

/// A user is an individual's account on GitHub that owns repositories and can make new content.
#[Object]
impl User {
    /// A URL pointing to the user's public avatar.
    pub(crate) async fn avatar_url(&self, ctx: &Context<'_>, size: Option<i32>) -> Uri {
        self.0.avatar(ctx, size)
    }

    /// The user's public profile bio.
    async fn bio(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.0.load(ctx).await?.description)
    }

    /// Identifies the date and time when the object was created.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(self.0.load(ctx).await?.created_at))
    }

    /// Identifies the primary key from the database.
    async fn database_id(&self) -> Option<i32> {
        Some(int(self.0.account.id.0))
    }

    /// The user's publicly visible profile email.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(self.0.load(ctx).await?.email.unwrap_or_default())
    }

    /// The Node ID of the User object
    pub(crate) async fn id(&self) -> ID {
        self.0.node_id()
    }

    /// Whether or not this user is a site administrator.
    async fn is_site_admin(&self) -> bool {
        self.0.account.is_site_admin
    }

    /// Whether or not this user is the viewing user.
    async fn is_viewer(&self, ctx: &Context<'_>) -> bool {
        forge(ctx).account_id() == Some(self.0.account.id)
    }

    /// The username used to login.
    pub(crate) async fn login(&self) -> String {
        self.0.account.login.clone()
    }

    /// The user's public profile name.
    async fn name(&self) -> Option<String> {
        self.0.account.name.clone()
    }

    /// The HTTP path for this user
    pub(crate) async fn resource_path(&self) -> Uri {
        Uri(self.0.path())
    }

    /// Identifies the date and time when the object was last updated.
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(self.0.load(ctx).await?.updated_at))
    }

    /// The HTTP URL for this user
    pub(crate) async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.0.path())
    }
}

/// An account on GitHub, with one or more owners, that has repositories, members and teams.
#[Object]
impl Organization {
    /// A URL pointing to the organization's public avatar.
    pub(crate) async fn avatar_url(&self, ctx: &Context<'_>, size: Option<i32>) -> Uri {
        self.0.avatar(ctx, size)
    }

    /// Identifies the date and time when the object was created.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(self.0.load(ctx).await?.created_at))
    }

    /// Identifies the primary key from the database.
    async fn database_id(&self) -> Option<i32> {
        Some(int(self.0.account.id.0))
    }

    /// The organization's public profile description.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.0.load(ctx).await?.description)
    }

    /// The organization's public email.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.0.load(ctx).await?.email)
    }

    /// The Node ID of the Organization object
    pub(crate) async fn id(&self) -> ID {
        self.0.node_id()
    }

    /// The organization's login name.
    pub(crate) async fn login(&self) -> String {
        self.0.account.login.clone()
    }

    /// The organization's public profile name.
    async fn name(&self) -> Option<String> {
        self.0.account.name.clone()
    }

    /// The HTTP path for this organization.
    pub(crate) async fn resource_path(&self) -> Uri {
        Uri(self.0.path())
    }

    /// Identifies the date and time when the object was last updated.
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(self.0.load(ctx).await?.updated_at))
    }

    /// The HTTP URL for this organization.
    pub(crate) async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.0.path())
    }
}
