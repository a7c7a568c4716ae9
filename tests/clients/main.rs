//! The whole story with real clients against the release binary, on SQLite and on PostgreSQL.
//!
//! Unmodified gh, git, Octokit, PyGithub and a browser do here what a person and an agent do. What can be shown at a
//! lower level is shown there; this is where it is shown that the pieces fit. A [`machine::Machine`] is an empty
//! computer with a forge on it, a [`machine::Person`] someone with an empty home directory, a [`browser::Browser`]
//! Chromium. `scripts/` holds what Node.js and Python run.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod agents;
mod browser;
mod console;
mod day;
mod git;
mod libraries;
mod login;
mod logs;
mod machine;
mod pages;
mod people;
mod repositories;
mod scripts;
mod server;
mod sizes;
mod start;
mod story;
