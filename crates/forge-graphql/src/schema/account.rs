//! Users and organizations. Agents are users to clients that know only GitHub's types.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use forge_service::batch;
use forge_service::teams::{self, TeamTarget};
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::id::AccountId;
use forge_types::node_id::NodeId;
use forge_types::{Error, ErrorKind, Result};

use super::enums::{RepositoryAffiliation, RepositoryPrivacy, RepositoryVisibility};
use super::page::{Connection, Paging};
use super::repositories::{self, RepositoryOrder, Wanted};
use super::repository::Repository;
use super::scalar::{DateTime, Uri};
use super::team::Team;
use super::{Later, Nullable, forge, found, int, nullable, query};
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
    fn load<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Account>> {
        Box::pin(async move {
            let load = batch::accounts(forge(ctx), self.cohort.members());
            let accounts = self.cohort.load("accounts", &(), load).await?;
            accounts.get(&self.account.id).cloned().ok_or_else(Error::not_found)
        })
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
    /// Returns the team of this slug, if the caller may see one.
    fn find_team<'a>(&'a self, ctx: &'a Context<'_>, slug: String) -> Later<'a, Result<Option<Team>>> {
        Box::pin(async move {
            let target = TeamTarget::Slug(&self.0.account.login, &slug);
            match teams::find(forge(ctx), target).await {
                Ok(record) => Ok(Some(Team { team: record.team })),
                Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// Returns the organization, if the account is one.
    pub(crate) fn of(profile: Profile) -> Option<Self> {
        (profile.account.kind == AccountKind::Organization).then_some(Self(profile))
    }
}

impl User {
    /// Returns the organizations, with those of the others of its list.
    fn load_organizations<'a>(
        &'a self,
        ctx: &'a Context<'_>,
        paging: Paging,
    ) -> Later<'a, Result<Connection<Organization>>> {
        Box::pin(async move {
            let window = paging.window()?;
            let load = batch::organizations(forge(ctx), self.0.cohort.members(), window);
            let lists = self.0.cohort.load("organizations", &window, load).await?;
            let page = lists.get(&self.0.account.id).cloned().unwrap_or_default();
            let ids = page.items.iter().map(|(_, organization)| organization.id).collect();
            let cohort = Cohort::new(ids);
            Ok(Connection(page.map(|account| Organization(Profile::member(account, Arc::clone(&cohort))))))
        })
    }

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

    /// A list of organizations the user belongs to.
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<Connection<Organization>> {
        self.load_organizations(ctx, Paging { after, before, first, last }).await
    }

    /// A list of repositories that the user owns.
    #[expect(clippy::too_many_arguments, reason = "GitHub's field has these arguments")]
    pub(crate) async fn repositories(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        #[graphql(
            desc = "If non-null, filters repositories according to whether they are archived and not maintained"
        )]
        is_archived: Option<bool>,
        #[graphql(
            desc = "If non-null, filters repositories according to whether they are forks of another repository"
        )]
        is_fork: Option<bool>,
        last: Option<i32>,
        #[graphql(desc = "Ordering options for repositories returned from the connection")] order_by: Option<
            RepositoryOrder,
        >,
        #[graphql(
            default_with = "Some(vec![Some(RepositoryAffiliation::Owner), Some(RepositoryAffiliation::Collaborator)])",
            desc = "Array of owner's affiliation options for repositories returned from the connection. For example, OWNER will include only repositories that the organization or user being viewed owns."
        )]
        owner_affiliations: Option<Vec<Option<RepositoryAffiliation>>>,
        #[graphql(
            desc = "If non-null, filters repositories according to privacy. Internal repositories are considered private; consider using the visibility argument if only internal repositories are needed. Cannot be combined with the visibility argument."
        )]
        privacy: Option<RepositoryPrivacy>,
        #[graphql(
            desc = "If non-null, filters repositories according to visibility. Cannot be combined with the privacy argument."
        )]
        visibility: Option<RepositoryVisibility>,
    ) -> Result<Connection<Repository>> {
        let wanted = Wanted {
            paging: Paging { after, before, first, last },
            is_archived,
            is_fork,
            order: order_by,
            affiliations: owner_affiliations,
            privacy,
            visibility,
        };
        repositories::of_user(ctx, self.0.account.id, &wanted).await
    }

    /// Find Repository.
    pub(crate) async fn repository(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(true)",
            desc = "Follow repository renames. If disabled, a repository referenced by its old name will return an error."
        )]
        follow_renames: Option<bool>,
        #[graphql(desc = "Name of Repository to find.")] name: String,
    ) -> Nullable<Repository> {
        let owner = &self.0.account.login;
        found(query::repository(ctx, owner, &name, follow_renames.unwrap_or(true)).await)
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

    /// A list of repositories that the organization owns.
    #[expect(clippy::too_many_arguments, reason = "GitHub's field has these arguments")]
    pub(crate) async fn repositories(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        #[graphql(
            desc = "If non-null, filters repositories according to whether they are archived and not maintained"
        )]
        is_archived: Option<bool>,
        #[graphql(
            desc = "If non-null, filters repositories according to whether they are forks of another repository"
        )]
        is_fork: Option<bool>,
        last: Option<i32>,
        #[graphql(desc = "Ordering options for repositories returned from the connection")] order_by: Option<
            RepositoryOrder,
        >,
        #[graphql(
            default_with = "Some(vec![Some(RepositoryAffiliation::Owner), Some(RepositoryAffiliation::Collaborator)])",
            desc = "Array of owner's affiliation options for repositories returned from the connection. For example, OWNER will include only repositories that the organization or user being viewed owns."
        )]
        owner_affiliations: Option<Vec<Option<RepositoryAffiliation>>>,
        #[graphql(
            desc = "If non-null, filters repositories according to privacy. Internal repositories are considered private; consider using the visibility argument if only internal repositories are needed. Cannot be combined with the visibility argument."
        )]
        privacy: Option<RepositoryPrivacy>,
        #[graphql(
            desc = "If non-null, filters repositories according to visibility. Cannot be combined with the privacy argument."
        )]
        visibility: Option<RepositoryVisibility>,
    ) -> Result<Connection<Repository>> {
        let wanted = Wanted {
            paging: Paging { after, before, first, last },
            is_archived,
            is_fork,
            order: order_by,
            affiliations: owner_affiliations,
            privacy,
            visibility,
        };
        repositories::of_organization(ctx, self.0.account.id, &wanted).await
    }

    /// Find Repository.
    pub(crate) async fn repository(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(true)",
            desc = "Follow repository renames. If disabled, a repository referenced by its old name will return an error."
        )]
        follow_renames: Option<bool>,
        #[graphql(desc = "Name of Repository to find.")] name: String,
    ) -> Nullable<Repository> {
        let owner = &self.0.account.login;
        found(query::repository(ctx, owner, &name, follow_renames.unwrap_or(true)).await)
    }

    /// The HTTP path for this organization.
    pub(crate) async fn resource_path(&self) -> Uri {
        Uri(self.0.path())
    }

    /// Find an organization's team by its slug.
    async fn team(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The name or slug of the team to find.")] slug: String,
    ) -> Nullable<Team> {
        nullable(self.find_team(ctx, slug).await)
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
