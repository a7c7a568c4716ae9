//! The whole story with real clients against the release binary, on SQLite and on PostgreSQL.
//!
//! Unmodified gh, git, Octokit, PyGithub and a browser do here what a person and an agent do. What can be shown at a
//! lower level is shown there; this is where it is shown that the pieces fit.

mod sizes;
