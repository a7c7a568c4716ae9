//! Places at which a test ends the process, as a power cut or an operator's `kill -9` may anywhere.
//!
//! `FORGE_CRASH_AT=NAME` ends a process of a debug build at its first visit to the place `NAME`, `NAME:3` at its third. A
//! release build has no such places.

#[cfg(debug_assertions)]
use std::sync::OnceLock;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicU32, Ordering};

/// The places, in the order in which a push and then maintenance come by.
pub const POINTS: &[&str] = &[
    "push/begun",
    "push/indexed",
    "publish/synced",
    "publish/moved-one",
    "publish/moved",
    "publish/done",
    "push/before-commit",
    "push/after-commit",
    "push/settled",
    "maintain/copied",
    "maintain/claimed",
    "maintain/before-commit",
    "maintain/after-commit",
    "maintain/indexed",
    "maintain/removed-one",
    "maintain/removed",
    "delete/aside",
    "fork/linked",
    "fork/packed",
    "fork/before-commit",
    "fork/after-commit",
    "fork/settled",
];

#[cfg(debug_assertions)]
static WANTED: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();

/// Ends the process here if a test asked for it.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "the list of crash points lacks `{name}`");
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("FORGE_CRASH_AT").ok()?;
        let (name, visits) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU32::new(visits.parse().ok()?)))
    });
    let Some((_, left)) = wanted.as_ref().filter(|(wanted, _)| wanted == name) else { return };
    if left.fetch_sub(1, Ordering::Relaxed) == 1 {
        // Nothing of this process runs after it: no destructor, no handler.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Ends the process here if a test asked for it.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &'static str) {}
