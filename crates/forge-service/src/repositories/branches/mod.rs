//! Branches: found, renamed, merged into one another.

mod find;
mod merge;
mod rename;

pub use find::{Branch, find_branch};
pub use merge::{NewMerge, merge};
pub(super) use rename::Renamed;
pub use rename::rename_branch;
