//! The use cases of the forge: one function each, called alike by REST, GraphQL, git, pages and the console.
//!
//! A use case reads straight down: `ctx.begin()` (a read: `ctx.read()`), `ctx.authorize(&mut tx, target, action)`,
//! change, store, `ctx.record(&mut tx, event)`, `tx.commit()`. INVARIANT: a target is had only from `authorize`, and
//! every effect is recorded in its own transaction.

pub mod access;
pub mod access_groups;
pub mod accounts;
pub mod admin;
pub mod agents;
pub mod app;
pub mod approvals;
pub mod audit;
pub mod authenticate;
pub mod batch;
pub mod collaborators;
pub mod commits;
pub mod context;
pub mod credentials;
pub mod git;
pub mod grants;
pub mod housekeeping;
pub mod jobs;
pub mod kill_switches;
pub mod labels;
pub mod limits;
mod news;
pub mod oauth;
pub mod objects;
pub mod operations;
pub mod organizations;
pub mod outside;
pub mod people;
pub mod policies;
pub mod proof;
pub mod public_keys;
mod reason;
pub mod refs;
pub mod registration_key;
pub mod repositories;
pub mod revocations;
mod secrets;
mod standing;
pub mod target;
pub mod teams;
pub mod templates;
mod throttle;

pub use forge_auth::token::Secret;

pub use audit::log as audit_log;

pub use app::{App, AppParts, Settings};
pub use context::{Caller, RequestContext, RequestInfo, Surface};
pub use standing::Standing;
pub use target::{Facts, Target};
