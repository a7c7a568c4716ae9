//! The root of mutations. Each calls one use case; whoever sends several gets an answer, or an error, for each.

mod branches;
mod labels;
mod refs;
mod repositories;

use async_graphql::MergedObject;
use forge_service::target::RepositoryTarget;
use forge_types::id::RepositoryId;
use forge_types::node_id::NodeId;
use forge_types::{Error, ErrorKind, Result};

use crate::answer::unresolvable_node;

/// The root query for implementing GraphQL mutations.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    branches::BranchMutations,
    labels::LabelMutations,
    refs::RefMutations,
    repositories::RepositoryMutations,
);

/// Returns the target with this node id.
///
/// # Errors
/// `NotFound` if the id is not that of a repository.
fn repository_target(id: &str) -> Result<RepositoryTarget<'static>> {
    match NodeId::parse(id) {
        Some(NodeId::Repository(id)) => Ok(RepositoryTarget::Id(id)),
        _ => Err(unresolvable_node(id)),
    }
}

/// Returns `result` with an error that names the id, if what it names is not there.
fn named<T>(result: Result<T>, id: &str) -> Result<T> {
    result.map_err(|error: Error| match error.kind() {
        ErrorKind::NotFound => unresolvable_node(id),
        _ => error,
    })
}

/// Returns the target with this id.
const fn target(id: RepositoryId) -> RepositoryTarget<'static> {
    RepositoryTarget::Id(id)
}
