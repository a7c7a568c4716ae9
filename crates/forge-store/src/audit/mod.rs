//! The audit log. `events` are appended in the transaction of the effect they tell of and never change; `seals` link them
//! into a chain afterwards; `checkpoints` are signed ends of that chain; `erasure` is the one exception that the database
//! itself lets through: personal fields may be emptied.
//!
//! INVARIANT: nothing here changes or removes an event, a seal or a checkpoint. The database refuses it too.

mod batch;
mod chain;
mod checkpoints;
mod erasure;
mod events;
mod filter;
mod seals;

pub use chain::list_chain;
pub use checkpoints::{
    Checkpoint, NewCheckpoint, find_last_checkpoint, insert_checkpoint, list_checkpoints,
    list_unpublished_checkpoints, publish_checkpoints,
};
pub use erasure::erase_personal;
pub use events::{
    AuditActor, AuditCredential, AuditEvent, Named, NewAuditEvent, find_latest, find_names, insert,
};
pub use filter::{AuditFilter, find_last_position, list, list_sealed, list_unsealed};
pub use seals::{
    ChainHead, Hold, Unsealed, begin_chain, find_head, hold_chain, insert_seals, is_unsealed, list_to_seal,
    release_chain,
};
