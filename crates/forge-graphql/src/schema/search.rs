//! Searching.

use async_graphql::{Context, Enum, Object, SimpleObject, Union};
use forge_types::Result;

use super::int;
use super::page::{Connection, PageInfo, Paging, cursor};
use super::repositories;
use super::repository::Repository;

/// Represents the individual results of a search.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchType {
    /// Returns results matching repositories.
    Repository,
}

/// The results of a search.
#[derive(Union, Clone)]
pub(crate) enum SearchResultItem {
    Repository(Repository),
}

/// An edge in a connection.
#[derive(SimpleObject)]
pub(crate) struct SearchResultItemEdge {
    /// A cursor for use in pagination.
    cursor: String,
    /// The item at the end of the edge.
    node: Option<SearchResultItem>,
}

/// Part of what a search found.
pub(crate) struct SearchResultItemConnection(Connection<Repository>);

impl SearchResultItemConnection {
    /// Searches.
    pub(crate) async fn find(
        ctx: &Context<'_>,
        kind: SearchType,
        query: &str,
        paging: &Paging,
    ) -> Result<Self> {
        match kind {
            SearchType::Repository => repositories::found_by(ctx, query, paging).await.map(Self),
        }
    }

    fn items(&self) -> impl Iterator<Item = (i64, SearchResultItem)> + '_ {
        let items = self.0.0.items.iter();
        items.map(|(position, repository)| (*position, SearchResultItem::Repository(repository.clone())))
    }
}

/// A list of results that matched against a search query.
#[Object]
impl SearchResultItemConnection {
    /// A list of edges.
    async fn edges(&self) -> Option<Vec<Option<SearchResultItemEdge>>> {
        let edge =
            |(position, item)| Some(SearchResultItemEdge { cursor: cursor(position), node: Some(item) });
        Some(self.items().map(edge).collect())
    }

    /// A list of nodes.
    async fn nodes(&self) -> Option<Vec<Option<SearchResultItem>>> {
        Some(self.items().map(|(_, item)| Some(item)).collect())
    }

    /// Information to aid in pagination.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0.0)
    }

    /// The total number of repositories that matched the search query.
    async fn repository_count(&self) -> i32 {
        int(self.0.0.total)
    }
}
