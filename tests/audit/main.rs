//! The audit log as an auditor has it: what it says of an event, that nothing in it can be changed unseen, how it is followed
//! and taken out, and that a program with no code of ours comes to the same verdict.
//!
//! [`world`] has things happen and takes the log out of it.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod erasing;
mod fields;
mod offline;
mod organization;
mod places;
mod sealing;
mod stream;
mod tampering;
mod world;
