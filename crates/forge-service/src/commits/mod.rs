//! History: lists of commits, one commit with what it changed, two commits compared.
//!
//! INVARIANT: every walk begins at something that [`crate::objects`] says the caller may read, and looks at no more than it is
//! allowed to; a result that was cut says so, or is refused.

mod brought;
mod changes;
mod compare;
mod list;
mod one;

pub use brought::{ChangedFiles, ListedCommits};
pub(crate) use brought::{changed_files, commits_beyond};
pub use changes::{ChangeStatus, ChangedFile, Changes, FileSide, Stats};
/// How the bytes of a file were compared.
pub use forge_git::diff::Comparison as FileComparison;
pub use forge_git::objects::EntryKind;

pub use compare::{Comparison, ComparisonStatus, compare, compare_diff, compare_patch};
pub use list::{CommitQuery, list};
pub use one::{CommitDetail, diff, find, find_id, patch};

/// No request looks at more commits.
const MAX_VISITED: usize = 200_000;
