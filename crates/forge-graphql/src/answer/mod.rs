//! How answers go back: data, and errors in GitHub's shape and words.
//!
//! GitHub puts an error's `type` beside its message, not into `extensions`, and answers 200 whatever went wrong inside
//! the query (<https://docs.github.com/graphql/guides/forming-calls-with-graphql>). Clients branch on `type`, `path` and
//! on whole messages, so that `wording` turns the executor's texts into those of GitHub's.

mod error;
mod place;
mod render;
mod wording;

pub(crate) use async_graphql::PathSegment;
pub(crate) use error::{Kind, QueryError, could_not_resolve, unresolvable_node};
pub(crate) use render::{executed, refused, syntax, without_data};
