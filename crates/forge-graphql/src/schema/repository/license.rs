//! Licences.

use async_graphql::{ID, Object};
use forge_service::templates;
use forge_types::node_id::NodeId;

use crate::schema::scalar::Uri;

/// A licence that the forge knows.
#[derive(Clone, Copy)]
pub(crate) struct License(pub(crate) &'static templates::License);

impl License {
    /// Returns the licence with this key.
    pub(crate) fn of(key: &str) -> Option<Self> {
        templates::license(key).map(Self)
    }
}

/// A repository's open source license
#[Object]
impl License {
    /// The full text of the license
    async fn body(&self) -> &'static str {
        self.0.body
    }

    /// A human-readable description of the license
    async fn description(&self) -> Option<&'static str> {
        Some(self.0.description)
    }

    /// Whether the license should be featured
    async fn featured(&self) -> bool {
        self.0.is_featured
    }

    /// The Node ID of the License object
    pub(crate) async fn id(&self) -> ID {
        ID(NodeId::License(self.0.key.to_owned()).to_string())
    }

    /// The lowercased SPDX ID of the license
    async fn key(&self) -> &'static str {
        self.0.key
    }

    /// The license full name specified by <https://spdx.org/licenses>
    async fn name(&self) -> &'static str {
        self.0.name
    }

    /// Customary short name if applicable (e.g., GPLv3)
    async fn nickname(&self) -> Option<&'static str> {
        None
    }

    /// Short identifier specified by <https://spdx.org/licenses>
    async fn spdx_id(&self) -> Option<&'static str> {
        Some(self.0.spdx_id)
    }

    /// URL to the license on <https://choosealicense.com>
    async fn url(&self) -> Option<Uri> {
        Some(Uri(self.0.html_url.to_owned()))
    }
}
