//! History: lists of commits, one commit with what it changed, two commits compared.
//!
//! INVARIANT: every walk begins at something that [`crate::objects`] says the caller may read, and looks at no more than it is
//! allowed to; a result that was cut says so, or is refused.

mod brought;
mod changes;
mod compare;
mod list;
mod one;

pub use brought::Brought;
pub(crate) use brought::brought;
pub use changes::{ChangeStatus, ChangedFile, Changes, Stats};
pub use compare::{Comparison, ComparisonStatus, compare, compare_diff, compare_patch};
pub use list::{CommitQuery, list};
pub use one::{CommitDetail, diff, find, find_id, patch};

/// No request looks at more commits.
const MAX_VISITED: usize = 200_000;
