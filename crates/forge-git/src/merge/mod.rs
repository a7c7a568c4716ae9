//! Bringing changes together: merges, cherry-picks, reverts, rebases, in memory.
//!
//! gix merges; nothing is checked out. `git merge-tree` is asked once about every conflict that gix finds, because a few are
//! none, and about every merge in which files may have moved or that has several bases, because gix takes other files for
//! moved than git and then merges differently: in 7 of 1,000 random merges. New objects stay in the [`Merger`] until they are put into a pack, only
//! those that the result needs. `.gitattributes` are not read: files have no merge drivers.

mod confirm;
mod loose;
mod rewrite;
mod sequence;
mod trees;

use forge_types::ObjectId;

pub use confirm::Confirmation;
pub use sequence::Rebased;
pub use trees::Merger;

/// What a merge came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The changes go together.
    Clean {
        /// The tree with both.
        tree_id: ObjectId,
    },
    /// They do not: somebody has to choose.
    Conflicted(Vec<Conflict>),
    /// The histories have nothing in common.
    Unrelated,
}

/// A place where two changes contradict one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Where.
    pub path: Vec<u8>,
    /// What is contradictory.
    pub kind: ConflictKind,
}

/// What contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// Both changed the same lines.
    Content,
    /// Both changed a file that is not text.
    Binary,
    /// Both added a file at this path.
    AddAdd,
    /// One changed what the other deleted.
    ModifyDelete,
    /// One moved what the other deleted.
    RenameDelete,
    /// Both moved it, to different places; or different files to one place.
    RenameRename,
    /// What is a directory for one is a file for the other.
    FileDirectory,
    /// It became things of different types.
    TypeMismatch,
    /// Both moved a submodule to different commits.
    Submodule,
    /// Something else, which only a person can sort out.
    Other,
}

/// How much a merge may take.
#[derive(Clone, Copy, Debug)]
pub struct MergeLimits {
    /// How many bytes of objects are read and made in all; beyond that it fails with
    /// [`TooLarge`](crate::Error::TooLarge).
    pub bytes: u64,
    /// If a side has more added or deleted files than this, only files that did not change are followed to where they moved.
    pub renames: usize,
    /// How many changed files of a side are looked at to see whether files moved; if there are more, they may have.
    pub changes: usize,
}
