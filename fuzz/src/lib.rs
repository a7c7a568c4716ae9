//! What is tried with bytes that nobody chose: everything here that reads what a stranger sends.
//!
//! A [`Target`] is a function that takes any bytes and panics when something that must hold does not. `cargo xtask fuzz` looks
//! for such bytes with libFuzzer; the inputs in `corpus/`, a folder for each target, are tried by an ordinary test too. What
//! once broke a target stays there.

mod fetch_request;
mod pack;
mod pkt_line;
mod push_request;
mod ref_name;
mod signature;
mod stored_pack;
mod support;
mod token;

pub use pack::{Push, is_accepted, push};

use std::path::PathBuf;

/// One thing that reads bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called, and its folder below `corpus/`.
    pub name: &'static str,
    /// Reads the bytes; panics if what must hold does not.
    pub run: fn(&[u8]),
    /// How long an input is at most.
    pub max_len: usize,
}

const fn target(name: &'static str, run: fn(&[u8]), max_len: usize) -> Target {
    Target { name, run, max_len }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("pkt-line", pkt_line::run, 4096),
    target("push-request", push_request::run, 4096),
    target("fetch-request", fetch_request::run, 4096),
    target("ref-name", ref_name::run, 512),
    target("pack", pack::run, 4096),
    target("stored-pack", stored_pack::run, 8192),
    target("signature", signature::run, 8192),
    target("token", token::run, 2048),
];

/// Returns the target of a name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Returns the folder of its inputs.
    pub fn corpus(&self) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "corpus", self.name].iter().collect()
    }
}
