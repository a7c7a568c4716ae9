//! The doors by which refs change: each use case that moves a ref names its own.
//!
//! INVARIANT: whoever calls [`update`](super::update) says which door it is, and the push row and the audit event name it with
//! the surface, such as `rest:refs/create`. A test goes through every entrance of every door, so that none is forgotten
//! where doors are guarded.

use crate::context::Surface;

/// A use case that changes refs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// `git push`.
    Push,
    /// The first commit of a repository that is created with files.
    FirstCommit,
    /// The operator puts back refs that the database lost.
    Import,
}

impl Door {
    /// All doors.
    pub const ALL: &[Self] = &[Self::Push, Self::FirstCommit, Self::Import];

    /// Returns the name in push rows and the audit log, where the surface stands before it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::FirstCommit => "first_commit",
            Self::Import => "import",
        }
    }

    /// Returns the name with the surface that somebody came in by.
    #[must_use]
    pub fn seen_from(self, surface: Surface) -> String {
        format!("{}:{}", surface.as_str(), self.as_str())
    }

    /// Returns what leads to it: routes of REST and Git as `METHOD /path`, mutations of GraphQL as `mutation name`, commands of
    /// the console as `forge …`.
    #[must_use]
    pub const fn entrances(self) -> &'static [&'static str] {
        match self {
            Self::Push => &["POST /{owner}/{repo}/git-receive-pack"],
            Self::FirstCommit => &[
                "POST /user/repos",
                "POST /orgs/{org}/repos",
                "POST /repos/{owner}/{repo}/generate",
                "mutation cloneTemplateRepository",
            ],
            Self::Import => &["forge repo import-refs"],
        }
    }
}
