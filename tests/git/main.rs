//! Git over HTTP with real `git` against a forge on a loopback port, and with raw requests where `git` is too polite.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod bench;
mod branches;
mod bundles;
mod deleting;
mod doors;
mod fetching;
mod forks;
mod interop;
mod libraries;
mod malformed;
mod networks;
mod pulls;
mod pushing;
mod reading;
mod refs;
mod restoring;
mod scale;
mod sorted;
mod templates;
