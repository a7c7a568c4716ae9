//! Licences.

use forge_service::templates::{License, license};
use forge_types::NodeId;
use serde::Serialize;

use super::Links;

/// GitHub's `license-simple`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct SimpleLicense {
    pub key: &'static str,
    pub name: &'static str,
    pub spdx_id: &'static str,
    pub url: String,
    pub node_id: NodeId,
}

impl SimpleLicense {
    /// Creates the view of a licence.
    #[must_use]
    pub fn new(links: &Links, license: &'static License) -> Self {
        Self {
            key: license.key,
            name: license.name,
            spdx_id: license.spdx_id,
            url: links.api(&format!("licenses/{}", license.key)),
            node_id: NodeId::License(license.key.to_owned()),
        }
    }

    /// Creates the view of the licence with this key, if the forge knows it.
    #[must_use]
    pub fn by_key(links: &Links, key: &str) -> Option<Self> {
        license(key).map(|license| Self::new(links, license))
    }
}

/// GitHub's `license`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct FullLicense {
    #[serde(flatten)]
    pub base: SimpleLicense,
    pub html_url: &'static str,
    pub description: &'static str,
    pub implementation: &'static str,
    pub permissions: &'static [&'static str],
    pub conditions: &'static [&'static str],
    pub limitations: &'static [&'static str],
    pub body: &'static str,
    pub featured: bool,
}

impl FullLicense {
    /// Creates the view of a licence.
    #[must_use]
    pub fn new(links: &Links, license: &'static License) -> Self {
        Self {
            base: SimpleLicense::new(links, license),
            html_url: license.html_url,
            description: license.description,
            implementation: "Create a text file (typically named LICENSE or LICENSE.txt) in the root of your source \
                             code and copy the text of the license into the file.",
            permissions: license.permissions,
            conditions: license.conditions,
            limitations: license.limitations,
            body: license.body,
            featured: license.is_featured,
        }
    }
}
