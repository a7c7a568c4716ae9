//! Repositories. `fields` holds what the repository itself says, `lists` what it holds, `code` its Git data, `viewer` what the caller is to
//! it; `nothing` GitHub's fields of what this forge does not have.

mod code;
mod fields;
pub(crate) mod license;
mod lists;
mod nothing;
pub(crate) mod topic;
mod viewer;

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject};
use forge_types::id::AccountId;
use forge_types::node_id::NodeId;
use forge_types::repository::RepositoryAccess;

use crate::cohort::Cohort;

/// A repository contains the content for a project.
#[derive(MergedObject, Clone)]
pub(crate) struct Repository(fields::Fields, lists::Lists, code::Code, viewer::Viewer, nothing::Nothing);

/// A repository that the caller may read, with those of its list.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) access: Arc<RepositoryAccess>,
    pub(crate) cohort: Arc<Cohort<Arc<RepositoryAccess>>>,
    owners: Arc<Cohort<AccountId>>,
}

impl Repository {
    /// Returns a repository that is no member of a list.
    pub(crate) fn single(access: RepositoryAccess) -> Self {
        let access = Arc::new(access);
        let owners = Cohort::new(vec![access.repository.owner.id]);
        Self::of(&Found { cohort: Cohort::new(vec![Arc::clone(&access)]), access, owners })
    }

    /// Returns the members of a list.
    pub(crate) fn list(accesses: Vec<RepositoryAccess>) -> Vec<Self> {
        let accesses: Vec<_> = accesses.into_iter().map(Arc::new).collect();
        let mut owners: Vec<AccountId> = accesses.iter().map(|access| access.repository.owner.id).collect();
        owners.sort_unstable();
        owners.dedup();
        let (cohort, owners) = (Cohort::new(accesses.clone()), Cohort::new(owners));
        let member = |access| Found { access, cohort: Arc::clone(&cohort), owners: Arc::clone(&owners) };
        accesses.into_iter().map(|access| Self::of(&member(access))).collect()
    }

    /// Returns the repository with all its parts.
    pub(crate) fn of(found: &Found) -> Self {
        Self(
            fields::Fields(found.clone()),
            lists::Lists(found.clone()),
            code::Code(found.clone()),
            viewer::Viewer(found.clone()),
            nothing::Nothing,
        )
    }

    /// Returns what was found.
    pub(crate) const fn found(&self) -> &Found {
        &self.0.0
    }
}

/// The field by which `Node` reaches a repository.
impl Repository {
    pub(crate) async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(self.found().node_id())
    }
}

impl Found {
    fn node_id(&self) -> ID {
        ID(NodeId::Repository(self.access.repository.id).to_string())
    }

    fn path(&self) -> String {
        format!("/{}", self.access.repository.full_name())
    }
}
