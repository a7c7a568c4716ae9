//! What a grant is about.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RefName;
use crate::id::RepositoryId;

/// One thing a grant is about, by id, with the name it had when the grant was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GrantResource {
    /// A repository with its code.
    Repo {
        /// Which.
        repository_id: RepositoryId,
        /// `OWNER/NAME` when the grant was made.
        name: String,
    },
    /// One branch or other ref of a repository.
    Branch {
        /// Of which repository.
        repository_id: RepositoryId,
        /// `OWNER/NAME` when the grant was made.
        name: String,
        /// The ref.
        ref_name: RefName,
    },
    /// An issue.
    Issue {
        /// Of which repository.
        repository_id: RepositoryId,
        /// `OWNER/NAME` when the grant was made.
        name: String,
        /// Its number.
        number: i64,
    },
    /// A pull request.
    Pull {
        /// Of which repository.
        repository_id: RepositoryId,
        /// `OWNER/NAME` when the grant was made.
        name: String,
        /// Its number.
        number: i64,
    },
    /// A secret of a repository.
    Secret {
        /// Of which repository.
        repository_id: RepositoryId,
        /// `OWNER/NAME` when the grant was made.
        name: String,
        /// What the secret is called.
        secret: String,
    },
    /// A workflow of a repository.
    Workflow {
        /// Of which repository.
        repository_id: RepositoryId,
        /// `OWNER/NAME` when the grant was made.
        name: String,
        /// Its file's name.
        workflow: String,
    },
}

impl GrantResource {
    /// Returns the repository that it is or lies in.
    #[must_use]
    pub const fn repository_id(&self) -> Option<RepositoryId> {
        Some(match self {
            Self::Repo { repository_id, .. }
            | Self::Branch { repository_id, .. }
            | Self::Issue { repository_id, .. }
            | Self::Pull { repository_id, .. }
            | Self::Secret { repository_id, .. }
            | Self::Workflow { repository_id, .. } => *repository_id,
        })
    }

    /// Returns whether the code of a repository is meant, or a ref of it.
    #[must_use]
    pub const fn is_code(&self) -> bool {
        matches!(self, Self::Repo { .. } | Self::Branch { .. })
    }

    /// Returns whether the ref of that repository is meant.
    #[must_use]
    pub fn covers_ref(&self, repository: RepositoryId, name: &RefName) -> bool {
        match self {
            Self::Repo { repository_id, .. } => *repository_id == repository,
            Self::Branch { repository_id, ref_name, .. } => *repository_id == repository && ref_name == name,
            Self::Issue { .. } | Self::Pull { .. } | Self::Secret { .. } | Self::Workflow { .. } => false,
        }
    }

    /// Returns whether this is `other` or lies in it.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        match other {
            Self::Repo { repository_id, .. } => self.repository_id() == Some(*repository_id),
            _ => self.key() == other.key(),
        }
    }

    /// Equal for the same thing, whatever its repository was called.
    fn key(&self) -> (RepositoryId, u8, String) {
        match self {
            Self::Repo { repository_id, .. } => (*repository_id, 0, String::new()),
            Self::Branch { repository_id, ref_name, .. } => (*repository_id, 1, ref_name.to_string()),
            Self::Issue { repository_id, number, .. } => (*repository_id, 2, number.to_string()),
            Self::Pull { repository_id, number, .. } => (*repository_id, 3, number.to_string()),
            Self::Secret { repository_id, secret, .. } => (*repository_id, 4, secret.clone()),
            Self::Workflow { repository_id, workflow, .. } => (*repository_id, 5, workflow.clone()),
        }
    }
}

/// As it is written in a grant.
impl fmt::Display for GrantResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repo { name, .. } => write!(f, "repo:{name}"),
            Self::Branch { name, ref_name, .. } => write!(f, "branch:{name}@{ref_name}"),
            Self::Issue { name, number, .. } => write!(f, "issue:{name}#{number}"),
            Self::Pull { name, number, .. } => write!(f, "pull:{name}#{number}"),
            Self::Secret { name, secret, .. } => write!(f, "secret:{name}/{secret}"),
            Self::Workflow { name, workflow, .. } => write!(f, "workflow:{name}/{workflow}"),
        }
    }
}
