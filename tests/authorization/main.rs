//! Who may do what: attacks, each beside the honest request that succeeds.
//!
//! `register.toml` maps every attack that we know to its tests, or to the door that does not exist yet; [`register`]
//! fails the run when a door appears without its tests.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod answers;
mod approvals;
mod devices;
mod doors;
mod every_door;
mod governance;
mod grants;
mod histories;
mod policies;
mod pushes;
mod register;
mod secrets;
mod signed;
mod tokens;
mod workloads;
