//! The root of queries.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use forge_service::target::RepositoryTarget;
use forge_service::teams::{self, TeamTarget};
use forge_service::{accounts, labels, objects, repositories};
use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::node_id::NodeId;
use forge_types::{Error, ErrorKind, Result};

use super::account::{Organization, Profile, User};
use super::git::{GitObject, Ref};
use super::label::Label;
use super::owner::{Node, RepositoryOwner};
use super::page::Paging;
use super::rate_limit::RateLimit;
use super::repository::Repository;
use super::repository::license::License;
use super::search::{SearchResultItemConnection, SearchType};
use super::team::Team;
use super::{Later, Nullable, forge, found, nullable};
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
        several(ctx, ids).await
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

    /// Perform a search across resources, returning a maximum of 1,000 results.
    #[expect(clippy::too_many_arguments, reason = "GitHub's field has these arguments")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "The search string to look for. GitHub search syntax is supported.")] query: String,
        #[graphql(name = "type", desc = "The types of search items to search within.")] kind: SearchType,
    ) -> Result<SearchResultItemConnection> {
        let paging = Paging { after, before, first, last };
        SearchResultItemConnection::find(ctx, kind, &query, &paging).await
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
fn account<'a>(ctx: &'a Context<'_>, login: &'a str) -> Later<'a, Result<Option<Profile>>> {
    Box::pin(async move {
        match accounts::find_public(forge(ctx), login).await {
            Ok(found) => Ok(Some(Profile::single(AccountRef::from(&found.account)))),
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    })
}

fn required<T>(found: Result<Option<T>>, what: impl Fn() -> String) -> Nullable<T> {
    let found = found.and_then(|found| found.ok_or_else(Error::not_found));
    super::found(found.map_err(|error| could_not_resolve(error, &what())))
}

/// Returns the repository of this name.
///
/// # Errors
/// `NotFound`, in GitHub's words, if it does not exist or the caller may not read it.
pub(super) fn repository<'a>(
    ctx: &'a Context<'_>,
    owner: &'a str,
    name: &'a str,
    follow_renames: bool,
) -> Later<'a, Result<Repository>> {
    Box::pin(async move {
        let target = match follow_renames {
            true => RepositoryTarget::Name(owner, name),
            false => RepositoryTarget::PresentName(owner, name),
        };
        let found = repositories::find(forge(ctx), target).await;
        let what = || format!("a Repository with the name '{owner}/{name}'");
        found.map(Repository::single).map_err(|error| could_not_resolve(error, &what()))
    })
}

/// Returns the nodes with these ids, in their order; repositories by one statement.
fn several<'a>(ctx: &'a Context<'_>, ids: Vec<ID>) -> Later<'a, Result<Vec<Nullable<Node>>>> {
    Box::pin(async move {
        if ids.len() > MAX_IDS {
            let given = ids.len();
            let message = format!("You may not provide more than {MAX_IDS} node ids; you provided {given}.");
            return Err(Error::malformed(message));
        }
        let wanted: Vec<_> = ids.iter().filter_map(|id| repository_id(id)).collect();
        let known = match wanted.as_slice() {
            [] => Vec::new(),
            wanted => Repository::list(repositories::find_many(forge(ctx), wanted).await?),
        };
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            let node = match repository_id(id) {
                Some(repository) => known
                    .iter()
                    .find(|known| known.found().access.repository.id == repository)
                    .map(|known| Node::Repository(known.clone()))
                    .ok_or_else(|| unresolvable_node(id)),
                None => node(ctx, id).await,
            };
            nodes.push(found(node));
        }
        Ok(nodes)
    })
}

fn repository_id(id: &str) -> Option<RepositoryId> {
    match NodeId::parse(id) {
        Some(NodeId::Repository(id)) => Some(id),
        _ => None,
    }
}

fn node<'a>(ctx: &'a Context<'_>, id: &'a str) -> Later<'a, Result<Node>> {
    Box::pin(async move {
        let found = match NodeId::parse(id) {
            Some(node) => node_of(ctx, node).await,
            None => Err(Error::not_found()),
        };
        found.map_err(|error| match error.kind() {
            ErrorKind::NotFound => unresolvable_node(id),
            _ => error,
        })
    })
}

async fn node_of(ctx: &Context<'_>, id: NodeId) -> Result<Node> {
    match id {
        NodeId::User(id) => User::of(profile(ctx, id).await?).map(Node::User).ok_or_else(Error::not_found),
        NodeId::Organization(id) => {
            Organization::of(profile(ctx, id).await?).map(Node::Organization).ok_or_else(Error::not_found)
        }
        NodeId::Repository(id) => {
            let access = repositories::find(forge(ctx), RepositoryTarget::Id(id)).await?;
            Ok(Node::Repository(Repository::single(access)))
        }
        NodeId::Label(id) => {
            let (label, access) = labels::find_by_id(forge(ctx), id).await?;
            Ok(Node::Label(Label { label: Arc::new(label), repository: Repository::single(access) }))
        }
        NodeId::Team(id) => {
            let record = teams::find(forge(ctx), TeamTarget::Id(id)).await?;
            Ok(Node::Team(Team { team: record.team }))
        }
        NodeId::License(key) => License::of(&key).map(Node::License).ok_or_else(Error::not_found),
        NodeId::Ref(repository, name) => {
            let found = repositories::find_ref(forge(ctx), RepositoryTarget::Id(repository), &name).await?;
            Ok(Node::Ref(Ref::of(found.0, found.1)))
        }
        NodeId::Object(kind, repository, id) => {
            let target = RepositoryTarget::Id(repository);
            let (access, object) = objects::find(forge(ctx), target, &id.to_string()).await?;
            let object = GitObject::of(Repository::single(access), object);
            if object.node_kind() == kind { Ok(Node::from(object)) } else { Err(Error::not_found()) }
        }
        NodeId::PublicKey(_) | NodeId::Topic(_) => Err(Error::not_found()),
    }
}

fn profile<'a>(ctx: &'a Context<'_>, id: AccountId) -> Later<'a, Result<Profile>> {
    Box::pin(async move {
        let found = accounts::find_by_id(forge(ctx), id).await?;
        Ok(Profile::single(AccountRef::from(&found.account)))
    })
}
