//! What the operator does to the forge as a whole: check what is stored, take the audit log out,
//! and write refs where the tools of administrators see them.

mod backup;
mod export;
mod refs;
mod verify;

pub use backup::begin_backup;
pub use export::export_audit;
pub use refs::{ExportedRefs, export_refs};
pub use verify::{Finding, verify};
