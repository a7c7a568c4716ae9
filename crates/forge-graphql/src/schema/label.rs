//! Labels.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};
use forge_service::batch;
use forge_types::label;
use forge_types::node_id::NodeId;
use forge_types::repository::RepositoryAccess;

use super::enums::{LabelOrderField, OrderDirection};
use super::forge;
use super::repository::Repository;
use super::scalar::{DateTime, Uri};

/// A label of a repository.
#[derive(Clone)]
pub(crate) struct Label {
    pub(crate) label: Arc<label::Label>,
    pub(crate) repository: Repository,
}

/// Ways in which lists of labels can be ordered upon return.
#[derive(InputObject, Clone, Copy)]
pub(crate) struct LabelOrder {
    /// The direction in which to order labels by the specified field.
    direction: OrderDirection,
    /// The field in which to order labels by.
    field: LabelOrderField,
}

/// Returns how labels are sorted: by default the oldest first.
pub(crate) fn label_order(order: Option<LabelOrder>) -> batch::LabelOrder {
    let order =
        order.unwrap_or(LabelOrder { direction: OrderDirection::Asc, field: LabelOrderField::CreatedAt });
    let field = match order.field {
        LabelOrderField::CreatedAt => batch::LabelOrderField::CreatedAt,
        LabelOrderField::Name => batch::LabelOrderField::Name,
    };
    batch::LabelOrder { field, is_descending: order.direction == OrderDirection::Desc }
}

impl Label {
    fn access(&self) -> &RepositoryAccess {
        &self.repository.found().access
    }

    fn path(&self) -> String {
        let name =
            percent_encoding::utf8_percent_encode(&self.label.name, percent_encoding::NON_ALPHANUMERIC);
        format!("/{}/labels/{name}", self.access().repository.full_name())
    }
}

/// A label for categorizing Issues, Pull Requests, Milestones, or Discussions with a given Repository.
#[Object]
impl Label {
    /// Identifies the label color.
    async fn color(&self) -> String {
        self.label.color.clone()
    }

    /// Identifies the date and time when the label was created.
    async fn created_at(&self) -> Option<DateTime> {
        Some(DateTime(self.label.created_at))
    }

    /// A brief description of this label.
    async fn description(&self) -> Option<String> {
        self.label.description.clone()
    }

    /// The Node ID of the Label object
    pub(crate) async fn id(&self) -> ID {
        ID(NodeId::Label(self.label.id).to_string())
    }

    /// Indicates whether or not this is a default label.
    async fn is_default(&self) -> bool {
        self.label.is_default
    }

    /// Identifies the label name.
    async fn name(&self) -> String {
        self.label.name.clone()
    }

    /// The repository associated with this label.
    async fn repository(&self) -> Repository {
        self.repository.clone()
    }

    /// The HTTP path for this label.
    async fn resource_path(&self) -> Uri {
        Uri(self.path())
    }

    /// Identifies the date and time when the label was last updated.
    async fn updated_at(&self) -> Option<DateTime> {
        Some(DateTime(self.label.updated_at))
    }

    /// The HTTP URL for this label.
    async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.path())
    }
}
