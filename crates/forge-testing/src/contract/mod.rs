//! What clients rely on, taken from GitHub's own descriptions and from ours.
//!
//! [`rest`] checks one answer against GitHub's OpenAPI description, [`ours`] one of our own interfaces against our own,
//! [`graphql`] checks our schema against the published SDL.
//! Where we differ on purpose stands in `schema/extensions.toml`, read by [`extensions`]; an entry that
//! nothing needs any more is itself a finding.

pub mod extensions;
pub mod graphql;
pub mod ours;
pub mod rest;
