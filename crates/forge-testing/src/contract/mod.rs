//! What GitHub's clients rely on, taken from GitHub's own descriptions.
//!
//! [`rest`] checks one answer against the OpenAPI description, [`graphql`] checks our schema against the published SDL.
//! Where we differ on purpose stands in `schema/extensions.toml`, read by [`extensions`]; an entry that
//! nothing needs any more is itself a finding.

pub mod extensions;
pub mod graphql;
pub mod rest;
