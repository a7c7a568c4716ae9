//! The refs of a repository: listed as readers see them, and made, moved and deleted one request at a time.
//!
//! INVARIANT: nothing here moves a ref itself. A use case finds what is to point where, and [`land`] brings it to the gate with
//! the pack that belongs to it.

mod change;
mod land;
mod list;

pub use change::{RefUpdate, create_ref, delete_ref, update_ref, update_refs};
pub(super) use land::{Wanted, land, land_with};
pub use list::{VisibleRef, find_ref, list_refs};
