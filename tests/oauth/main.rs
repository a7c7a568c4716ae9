//! Signing in, tokens and the authorization server, through every door at once: pages as a browser sees them and
//! endpoints as a client calls them, on both databases.
//!
//! Tests named `a62_…` show that an attack of that number fails, next to the honest request that succeeds.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod at_rest;
mod bootstrap;
mod code;
mod device;
mod enumeration;
mod hostile;
mod links;
mod meanwhile;
mod refresh;
mod revocation;
mod second_factor;
mod sign_in;
mod standard_client;
mod support;
mod tasks;
mod tokens;
