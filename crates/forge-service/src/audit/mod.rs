//! The audit log: `record` writes an event in the transaction of its effect, `log` lists events for those who may see them.
//!
//! `content` says what the hash of an event covers, `resource` what an event is about, `authority` on whose behalf it was
//! done. `seal` links committed events into the chain afterwards, `checkpoint` signs its end, `verify` checks all of that,
//! and `export` writes it down for others. docs/audit.md is the description for whoever verifies it.

mod authority;
pub mod checkpoint;
pub mod content;
pub mod formats;
pub mod line;
pub mod log;
pub mod organization;
mod record;
mod resource;
pub mod seal;
pub mod stream;
pub mod verify;

pub use record::Ids;
pub(crate) use record::{Refusal, record, record_refusal, record_refused};
