//! Git: packs, objects and the wire protocol. Knows no SQL and no HTTP.
//!
//! Refs live elsewhere: whoever calls hands in a [`wire::RefSnapshot`] of what its caller may see, and moves refs itself
//! after objects are durable. What holds here:
//! - objects are packs, never loose; a pack is fsynced, index and directory too, before its [`PackInfo`] is returned;
//! - nothing is served before every want was checked against the snapshot ([`fetch`]);
//! - nothing that a push brings is in the repository before it was checked ([`receive`]);
//! - `git` runs only as a bounded, killable process with a scrubbed environment ([`Processes`]).
//!
//! Where to look: [`Storage`] and [`Repository`] for directories, [`objects`] for reading and writing objects,
//! [`history`] for logs and merge bases, [`diff`] for comparing trees and files,
//! [`merge`] for merging, rebasing and reverting, [`archive`] for tar and zip,
//! [`signature`] for who signed what,
//! [`wire`] for pkt-lines and advertisements, [`fetch`] and [`receive`] for the two services.
//! Requests are expected decoded: `Content-Encoding: gzip` is undone, with a limit, by the HTTP edge.

mod claims;
mod durable;
mod error;
mod fork;
mod maintain;
mod packs;
mod process;
mod projection;
mod repository;
mod storage;
mod verify;
mod walk;

pub mod archive;
pub mod crash;
pub mod diff;
pub mod fetch;
pub mod history;
pub mod merge;
pub mod objects;
pub mod receive;
pub mod signature;
pub mod untrusted;
pub mod wire;

pub use claims::Claim;
pub use error::{Error, Result};
pub use fork::Heritage;
pub use maintain::{LARGE, ListedPack, Plan, Rebuilt, Tips, plan};
pub use packs::{Manifest, PackSet, Packs};
pub use process::{GitProgram, ProcessLimits, Processes};
pub use repository::{PackInfo, Repository};
pub use storage::{Storage, Swept};
