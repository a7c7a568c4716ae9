//! What a repository holds.

use std::sync::Arc;

use async_graphql::{Context, Object};
use forge_service::target::RepositoryTarget;
use forge_service::{batch, labels};
use forge_types::window::Windowed;
use forge_types::{ErrorKind, Result};

use super::topic::{RepositoryTopic, Topic};
use super::{Found, Repository};
use crate::cohort::Cohort;
use crate::schema::account::{Profile, User};
use crate::schema::label::{Label, LabelOrder, label_order};
use crate::schema::page::{Connection, Paging};
use crate::schema::{Later, Nullable, forge, found, nullable};

#[derive(Clone)]
pub(super) struct Lists(pub(super) Found);

impl Lists {
    fn load_labels<'a>(
        &'a self,
        ctx: &'a Context<'_>,
        wanted: batch::Labels,
    ) -> Later<'a, Result<Connection<Label>>> {
        Box::pin(async move {
            let load = batch::labels(forge(ctx), self.0.cohort.members(), &wanted);
            let labels = self.0.cohort.load("labels", &wanted, load).await?;
            let labels = labels.get(&self.0.access.repository.id).cloned().unwrap_or_default();
            let repository = Repository::of(&self.0);
            Ok(Connection(
                labels.map(|label| Label { label: Arc::new(label), repository: repository.clone() }),
            ))
        })
    }

    fn find_label<'a>(&'a self, ctx: &'a Context<'_>, name: String) -> Later<'a, Result<Option<Label>>> {
        Box::pin(async move {
            let target = RepositoryTarget::Id(self.0.access.repository.id);
            match labels::find(forge(ctx), target, &name).await {
                Ok(label) => Ok(Some(Label { label: Arc::new(label), repository: Repository::of(&self.0) })),
                Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn load_people<'a>(
        &'a self,
        ctx: &'a Context<'_>,
        paging: &'a Paging,
        query: Option<String>,
    ) -> Later<'a, Result<Connection<User>>> {
        Box::pin(async move {
            let window = paging.window()?;
            let query = query.filter(|query| !query.trim().is_empty());
            let load = batch::people(forge(ctx), self.0.cohort.members(), query.as_deref(), window);
            let people = self.0.cohort.load("people", &(&query, window), load).await?;
            let page = people.get(&self.0.access.repository.id).cloned().unwrap_or_default();
            let ids = page.items.iter().map(|(_, person)| person.id).collect();
            let cohort = Cohort::new(ids);
            Ok(Connection(page.map(|account| User(Profile::member(account, Arc::clone(&cohort))))))
        })
    }
}

#[Object]
impl Lists {
    /// A list of users that can be assigned to issues in this repository.
    async fn assignable_users(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Filters users with query on user name and login.")] query: Option<String>,
    ) -> Result<Connection<User>> {
        self.load_people(ctx, &Paging { after, before, first, last }, query).await
    }

    /// Returns a single label by name
    async fn label(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Label name.")] name: String,
    ) -> Nullable<Label> {
        nullable(self.find_label(ctx, name).await)
    }

    /// A list of Users that can be mentioned in the context of the repository.
    async fn mentionable_users(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Filters users with query on user name and login")] query: Option<String>,
    ) -> Result<Connection<User>> {
        self.load_people(ctx, &Paging { after, before, first, last }, query).await
    }

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
