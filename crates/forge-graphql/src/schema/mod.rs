//! The schema: GitHub's types, each in a file with its resolvers.
//!
//! `query` and `mutation` are the roots; `account`, `repository`, `label`, `git` and `team` what they lead to; `absent` holds
//! GitHub's types of things that this forge has none of; `page` is how connections are cut.

mod absent;
mod account;
mod enums;
mod git;
mod label;
mod mutation;
mod owner;
mod page;
mod query;
mod rate_limit;
mod repositories;
mod repository;
mod scalar;
mod search;
mod team;

use std::pin::Pin;

use async_graphql::{Context, EmptySubscription, SDLExportOptions, Schema};
use forge_service::RequestContext;
use forge_types::Error;

use mutation::Mutation;
use query::Query;

/// The executor.
pub(crate) type ForgeSchema = Schema<Query, Mutation, EmptySubscription>;

/// A nullable field that can fail: the error is reported and the field alone is null.
pub(crate) type Nullable<T> = Option<Result<T, async_graphql::Error>>;

/// What a resolver waits for, kept off its own stack: what is selected below a field runs on top of the field's frame,
/// and queries nest, so that frames must stay small.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Builds the executor.
pub(crate) fn build() -> ForgeSchema {
    Schema::build(Query, Mutation::default(), EmptySubscription)
        .disable_suggestions()
        .limit_directives(20)
        .finish()
}

/// Returns the schema as text, sorted, as `schema/forge.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .prefer_single_line_descriptions();
    build().sdl_with_options(options)
}

/// Returns the context of the request.
fn forge<'c>(ctx: &Context<'c>) -> &'c RequestContext {
    ctx.data_unchecked::<RequestContext>()
}

/// Turns the result of a use case into that of a nullable field.
fn nullable<T>(result: Result<Option<T>, Error>) -> Nullable<T> {
    result.map_err(async_graphql::Error::from).transpose()
}

/// Turns the result of a use case that finds one thing into that of a nullable field.
fn found<T>(result: Result<T, Error>) -> Nullable<T> {
    nullable(result.map(Some))
}

/// Returns a number of things as GraphQL's 32-bit `Int`.
fn int(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
