//! Addresses in answers. All lie on the one host name that the settings give, never on what a request says.

use forge_service::Settings;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer};

/// What cannot stand in the path of an address.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// Returns a path of a repository as it stands in an address; its slashes stay.
#[must_use]
pub fn in_path(path: &str) -> String {
    utf8_percent_encode(path, IN_PATH).to_string()
}

/// Where answers point.
#[derive(Clone, Debug)]
pub struct Links {
    origin: String,
    host: String,
}

impl Links {
    /// Creates the links of a forge with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            origin: settings.origin.as_str().trim_end_matches('/').to_owned(),
            host: settings.origin.host_str().unwrap_or_default().to_owned(),
        }
    }

    /// Returns the address of `path` in REST v3; the path starts without a slash.
    #[must_use]
    pub fn api(&self, path: &str) -> String {
        format!("{}/api/v3/{path}", self.origin)
    }

    /// Returns the address of `path` among the pages; the path starts without a slash.
    #[must_use]
    pub fn web(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }

    /// Returns the host name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The addresses of an object's parts: names with what follows the object's own address.
#[derive(Clone, Debug)]
pub struct LinkTable {
    base: String,
    links: &'static [(&'static str, &'static str)],
}

impl LinkTable {
    /// Creates the addresses `links` below `base`.
    #[must_use]
    pub const fn new(base: String, links: &'static [(&'static str, &'static str)]) -> Self {
        Self { base, links }
    }
}

impl Serialize for LinkTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.links.iter().map(|(name, rest)| (name, format!("{}{rest}", self.base))))
    }
}
