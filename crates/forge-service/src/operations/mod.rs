//! What the operator does to the forge as a whole: check what is stored, and take the audit log out.

mod export;
mod verify;

pub use export::export_audit;
pub use verify::{Finding, verify};
