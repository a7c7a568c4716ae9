//! Labels.

use forge_types::NodeId;
use forge_types::label::Label;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::Links;

/// GitHub's `label`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct LabelView {
    pub id: i64,
    pub node_id: NodeId,
    pub url: String,
    pub name: String,
    pub description: Option<String>,
    pub color: String,
    pub default: bool,
}

impl LabelView {
    /// Creates the view of a label of the repository at `place`, such as `repos/OWNER/NAME`.
    #[must_use]
    pub fn new(links: &Links, place: &str, label: &Label) -> Self {
        let name = utf8_percent_encode(&label.name, NON_ALPHANUMERIC);
        Self {
            id: label.id.0,
            node_id: NodeId::Label(label.id),
            url: links.api(&format!("{place}/labels/{name}")),
            name: label.name.clone(),
            description: label.description.clone(),
            color: label.color.clone(),
            default: label.is_default,
        }
    }
}
