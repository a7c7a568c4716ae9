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
    /// A fork begins with the refs of its parent.
    Fork,
    /// The operator puts back refs that the database lost.
    Import,
    /// The operator puts back a repository that was deleted.
    Restore,
    /// A ref is created.
    CreateRef,
    /// A ref is moved.
    UpdateRef,
    /// Several refs are created, moved and deleted.
    UpdateRefs,
    /// A ref is deleted.
    DeleteRef,
    /// A file is created or changed.
    PutFile,
    /// A file is deleted.
    DeleteFile,
    /// Several files are changed by one commit.
    CommitOnBranch,
    /// A branch gets another name.
    RenameBranch,
    /// A branch is merged into another.
    Merge,
    /// What waited is done, because a human approved.
    Approve,
    /// A pull request moves its own refs. Nobody comes in by it.
    Pull,
}

impl Door {
    /// All doors that somebody comes in by.
    pub const ALL: &[Self] = &[
        Self::Push,
        Self::FirstCommit,
        Self::Fork,
        Self::Import,
        Self::Restore,
        Self::CreateRef,
        Self::UpdateRef,
        Self::UpdateRefs,
        Self::DeleteRef,
        Self::PutFile,
        Self::DeleteFile,
        Self::CommitOnBranch,
        Self::RenameBranch,
        Self::Merge,
        Self::Approve,
    ];

    /// Returns the name in push rows and the audit log, where the surface stands before it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::FirstCommit => "first_commit",
            Self::Fork => "fork",
            Self::Import => "import",
            Self::Restore => "restore",
            Self::CreateRef => "refs/create",
            Self::UpdateRef => "refs/update",
            Self::UpdateRefs => "refs/update_several",
            Self::DeleteRef => "refs/delete",
            Self::PutFile => "contents/put",
            Self::DeleteFile => "contents/delete",
            Self::CommitOnBranch => "branches/commit",
            Self::RenameBranch => "branches/rename",
            Self::Merge => "branches/merge",
            Self::Approve => "approvals/approve",
            Self::Pull => "pulls/refs",
        }
    }

    /// Returns the name with the surface that somebody came in by.
    #[must_use]
    pub fn seen_from(self, surface: Surface) -> String {
        format!("{}:{}", surface.as_str(), self.as_str())
    }

    /// Returns whether what takes a human can wait here. It cannot where other things change with the refs, which would be
    /// done without them.
    pub(super) const fn lets_wait(self) -> bool {
        match self {
            Self::FirstCommit
            | Self::Fork
            | Self::Import
            | Self::Restore
            | Self::RenameBranch
            | Self::Approve
            | Self::Pull => false,
            Self::Push
            | Self::CreateRef
            | Self::UpdateRef
            | Self::UpdateRefs
            | Self::DeleteRef
            | Self::PutFile
            | Self::DeleteFile
            | Self::CommitOnBranch
            | Self::Merge => true,
        }
    }

    /// Returns what leads to it: routes of REST, Git and pages as `METHOD /path`, mutations of GraphQL as `mutation name`, commands of
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
            Self::Fork => &["POST /repos/{owner}/{repo}/forks"],
            Self::Import => &["forge repo import-refs"],
            Self::Restore => &["forge repo restore-deleted"],
            Self::CreateRef => &["POST /repos/{owner}/{repo}/git/refs", "mutation createRef"],
            Self::UpdateRef => &["PATCH /repos/{owner}/{repo}/git/refs/{ref}", "mutation updateRef"],
            Self::UpdateRefs => &["mutation updateRefs"],
            Self::DeleteRef => &["DELETE /repos/{owner}/{repo}/git/refs/{ref}", "mutation deleteRef"],
            Self::PutFile => &["PUT /repos/{owner}/{repo}/contents/{path}"],
            Self::DeleteFile => &["DELETE /repos/{owner}/{repo}/contents/{path}"],
            Self::CommitOnBranch => &["mutation createCommitOnBranch"],
            Self::RenameBranch => &["POST /repos/{owner}/{repo}/branches/{branch}/rename"],
            Self::Merge => &["POST /repos/{owner}/{repo}/merges", "mutation mergeBranch"],
            Self::Approve => &["POST /approvals/{id}/approve"],
            Self::Pull => &[],
        }
    }
}
