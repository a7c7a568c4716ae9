//! What a repository holds.

use std::sync::Arc;

use async_graphql::{Context, Object};
use forge_service::batch;
use forge_types::Result;
use forge_types::window::Windowed;

use super::topic::{RepositoryTopic, Topic};
use super::{Found, Repository};
use crate::schema::label::{Label, LabelOrder, label_order};
use crate::schema::page::{Connection, Paging};
use crate::schema::{Nullable, forge, found};

#[derive(Clone)]
pub(super) struct Lists(pub(super) Found);

impl Lists {
    async fn load_labels(&self, ctx: &Context<'_>, wanted: batch::Labels) -> Result<Connection<Label>> {
        let load = batch::labels(forge(ctx), self.0.cohort.members(), &wanted);
        let labels = self.0.cohort.load("labels", &wanted, load).await?;
        let labels = labels.get(&self.0.access.repository.id).cloned().unwrap_or_default();
        let repository = Repository::of(&self.0);
        Ok(Connection(labels.map(|label| Label { label: Arc::new(label), repository: repository.clone() })))
    }
}

#[Object]
impl Lists {
    /// A list of labels associated with the repository.
    #[expect(clippy::too_many_arguments, reason = "GitHub's field has these arguments")]
    async fn labels(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Ordering options for labels returned from the connection.")] order_by: Option<
            LabelOrder,
        >,
        #[graphql(desc = "If provided, searches labels by name and description.")] query: Option<String>,
    ) -> Nullable<Connection<Label>> {
        let window = match (Paging { after, before, first, last }).window() {
            Ok(window) => window,
            Err(error) => return found(Err(error)),
        };
        let query = query.filter(|query| !query.trim().is_empty());
        found(self.load_labels(ctx, batch::Labels { query, order: label_order(order_by), window }).await)
    }

    /// A list of applied repository-topic associations for this repository.
    async fn repository_topics(
        &self,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<Connection<RepositoryTopic>> {
        let topics = self.0.access.repository.settings.topics.clone();
        let window = (Paging { after, before, first, last }).window()?;
        let page: Windowed<String> = window.cut(topics);
        Ok(Connection(page.map(|topic| RepositoryTopic(Topic(topic)))))
    }
}
