//! Commits in an order, and how they relate: logs, merge bases, how far two branches have gone apart, blame.
//!
//! The answers are those of `git log`, `git merge-base` and `git rev-list`, as long as the clocks of the committers can be
//! believed. INVARIANT: no walk looks at more commits than its caller allows.

mod bases;
mod blame;
mod count;
mod filter;
mod log;
mod paths;
mod topo;
mod walk;

use forge_types::ObjectId;

pub use blame::BlamedLines;
pub use count::AheadBehind;

/// In which order commits come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOrder {
    /// Newest first, as `git log`.
    #[default]
    Date,
    /// No commit before one that follows it, and branches not mixed, as `git log --topo-order`.
    Topological,
}

/// Which commits are asked for.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Commits from which the walk begins.
    pub tips: Vec<ObjectId>,
    /// Commits that are left out with everything they reach.
    pub hidden: Vec<ObjectId>,
    /// Only commits that change a file or directory at one of these paths; all commits if there is none. History is
    /// simplified as git does by default: a merge that took the paths as one side had them leads to that side only.
    pub paths: Vec<Vec<u8>>,
    /// Only commits whose author, written `Name <address>`, has one of these in it.
    pub authors: Vec<Vec<u8>>,
    /// Only commits whose committer, written `Name <address>`, has one of these in it.
    pub committers: Vec<Vec<u8>>,
    /// Only commits of this time or later, in seconds since 1970; the walk ends at older ones.
    pub since: Option<i64>,
    /// Only commits of this time or earlier, in seconds since 1970.
    pub until: Option<i64>,
    /// Follow only the first parent of each commit.
    pub first_parent: bool,
    /// In which order.
    pub order: LogOrder,
    /// How many commits to leave out before the first.
    pub skip: usize,
    /// How many commits to return.
    pub limit: usize,
    /// How many commits to look at.
    pub max_visited: usize,
}

/// A page of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// The commits.
    pub ids: Vec<ObjectId>,
    /// Is there at least one more?
    pub has_more: bool,
    /// Did the walk end because it had looked at as many commits as allowed? Then there may be more.
    pub is_cut: bool,
}
