//! The vocabulary of the forge: ids, names, entities, actions, events, errors, and the pure rules among them.
//!
//! Rules of this room: nothing here does input or output, reads a clock or draws a random number. Everything else
//! depends on it, and it depends on nothing of ours. Persistence is in `forge-store`, decisions in `forge-auth`,
//! use cases in `forge-service`.

pub mod access_group;
pub mod account;
pub mod action;
pub mod agent;
pub mod agent_key;
pub mod approval;
pub mod audience;
pub mod ceiling;
pub mod credential;
pub mod error;
pub mod event;
pub mod grant;
pub mod id;
pub mod kill_switch;
pub mod label;
pub mod name;
mod named;
pub mod node_id;
mod object_id;
pub mod organization;
pub mod page;
pub mod permission;
pub mod public_key;
mod ref_name;
pub mod repository;
pub mod repository_query;
pub mod scope;
pub mod time;
pub mod window;
pub mod workload;

pub use account::{Account, AccountKind, AccountStatus};
pub use action::Action;
pub use error::{Error, ErrorKind, FieldCode, FieldError, ProofProblem, Result, Withheld, with_causes};
pub use event::Event;
pub use node_id::NodeId;
pub use object_id::{InvalidObjectId, ObjectFormat, ObjectId};
pub use permission::Permission;
pub use ref_name::{InvalidRefName, RefKind, RefName};
pub use scope::{Scope, Scopes};
pub use time::Timestamp;
