//! Refs and Git objects.

mod actor;
mod commit;
mod object;
pub(crate) mod reference;

pub(crate) use commit::Commit;
pub(crate) use object::{Blob, GitObject, Tag, Tree};
pub(crate) use reference::Ref;
