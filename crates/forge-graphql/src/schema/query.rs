//! The root of queries.

use async_graphql::{Context, ID, Object};
use forge_service::target::RepositoryTarget;
use forge_service::{accounts, repositories};
use forge_types::account::AccountRef;
use forge_types::node_id::NodeId;
use forge_types::{Error, ErrorKind, Result, name};

use super::account::{Organization, Profile, User};
use super::owner::{Node, RepositoryOwner};
use super::rate_limit::RateLimit;
use super::repository::Repository;
use super::{Nullable, forge, found, nullable};
use crate::answer::{could_not_resolve, unresolvable_node};
use crate::limits::Cost;

/// The most ids that `nodes` takes.
const MAX_IDS: usize = 100;

/// The root of queries.
pub(crate) struct Query;

/// The query root of GitHub's GraphQL interface.
#[Object]
impl Query {
    /// Fetches an object given its ID.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "ID of the object.")] id: ID) -> Nullable<Node> {
        found(node(ctx, &id).await)
    }

    /// Lookup nodes by a list of IDs.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The list of node IDs.")] ids: Vec<ID>,
    ) -> Result<Vec<Nullable<Node>>> {
        if ids.len() > MAX_IDS {
            let given = ids.len();
            let message = format!("You may not provide more than {MAX_IDS} node ids; you provided {given}.");
            return Err(Error::malformed(message));
        }
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(found(node(ctx, id).await));
        }
        Ok(nodes)
    }

    /// Lookup a organization by login.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization's login.")] login: String,
    ) -> Nullable<Organization> {
        let found = account(ctx, &login).await.map(|profile| profile.and_then(Organization::of));
        required(found, || format!("an Organization with the login of '{login}'"))
    }

    /// The client's rate limit information.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Option<RateLimit> {
        let cost = ctx.data_opt::<Cost>().copied().unwrap_or_default();
        Some(RateLimit::after(forge(ctx), cost))
    }

    /// Lookup a given repository by the owner and repository name.
    async fn repository(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(true)",
            desc = "Follow repository renames. If disabled, a repository referenced by its old name will return an error."
        )]
        follow_renames: Option<bool>,
        #[graphql(desc = "The name of the repository")] name: String,
        #[graphql(desc = "The login field of a user or organization")] owner: String,
    ) -> Nullable<Repository> {
        found(repository(ctx, &owner, &name, follow_renames.unwrap_or(true)).await)
    }

    /// Lookup a repository owner (ie. either a User or an Organization) by login.
    async fn repository_owner(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The username to lookup the owner by.")] login: String,
    ) -> Nullable<RepositoryOwner> {
        nullable(account(ctx, &login).await.map(|found| found.map(RepositoryOwner::from)))
    }

    /// Lookup a user by login.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's login.")] login: String,
    ) -> Nullable<User> {
        let found = account(ctx, &login).await.map(|profile| profile.and_then(User::of));
        required(found, || format!("a User with the login of '{login}'"))
    }

    /// The currently authenticated user.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<User> {
        Ok(User(Profile::single(forge(ctx).account()?.clone())))
    }
}

/// Returns the account of this login, if there is one.
async fn account(ctx: &Context<'_>, login: &str) -> Result<Option<Profile>> {
    match accounts::find_public(forge(ctx), login).await {
        Ok(found) => Ok(Some(Profile::single(AccountRef::from(&found.account)))),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn required<T>(found: Result<Option<T>>, what: impl Fn() -> String) -> Nullable<T> {
    let found = found.and_then(|found| found.ok_or_else(Error::not_found));
    super::found(found.map_err(|error| could_not_resolve(error, &what())))
}

async fn repository(ctx: &Context<'_>, owner: &str, name: &str, follow_renames: bool) -> Result<Repository> {
    let found = repositories::find(forge(ctx), RepositoryTarget::Name(owner, name)).await;
    let found = found.and_then(|access| {
        let was_renamed = name::key(&access.repository.full_name()) != name::key(&format!("{owner}/{name}"));
        if was_renamed && !follow_renames { Err(Error::not_found()) } else { Ok(access) }
    });
    found
        .map(Repository::single)
        .map_err(|error| could_not_resolve(error, &format!("a Repository with the name '{owner}/{name}'")))
}

async fn node(ctx: &Context<'_>, id: &str) -> Result<Node> {
    let found = match NodeId::parse(id) {
        Some(NodeId::Repository(repository)) => {
            let found = repositories::find(forge(ctx), RepositoryTarget::Id(repository)).await;
            found.map(|access| Node::Repository(Repository::single(access)))
        }
        _ => Err(Error::not_found()),
    };
    found.map_err(|error| match error.kind() {
        ErrorKind::NotFound => unresolvable_node(id),
        _ => error,
    })
}
