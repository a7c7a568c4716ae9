//! People: how they come into being, prove who they are, and stay signed in.
//!
//! INVARIANT: a browser session is opened by [`sessions::open`] alone, which ends the one the browser had before;
//! nothing tells an account that does not exist from a password that is wrong.

pub mod accounts;
pub mod csrf;
pub mod handoff;
pub mod identities;
pub mod links;
pub mod password;
pub mod second_factor;
pub mod sessions;
pub mod setup;
pub mod sign_in;
