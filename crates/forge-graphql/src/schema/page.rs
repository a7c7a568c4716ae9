//! Connections: how lists are cut to pages and shaped.
//!
//! A cursor says a position in the list, in base64; clients must not look inside.

use std::convert::Infallible;

use async_graphql::{Object, OutputType, SimpleObject};
use data_encoding::BASE64;
use forge_types::window::{Window, Windowed};
use forge_types::{Error, Result};

use super::absent::{Language, Milestone, Project, ProjectV2, absurd};
use super::account::{Organization, User};
use super::int;
use super::label::Label;
use super::repository::Repository;
use super::repository::topic::RepositoryTopic;

/// The arguments that every connection has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) first: Option<i32>,
    pub(crate) last: Option<i32>,
}

impl Paging {
    /// Returns the part of the list that is asked for. `limits` has seen to it that the numbers are good; a connection
    /// that is only counted has none, and lists nothing.
    ///
    /// # Errors
    /// If a cursor is not one of ours.
    pub(crate) fn window(&self) -> Result<Window> {
        let position = |cursor: &Option<String>| cursor.as_deref().map(position).transpose();
        let (first, last) = match (self.first, self.last) {
            (None, None) => (Some(0), None),
            (first, last) => (first.map(i64::from), last.map(i64::from)),
        };
        let after = position(&self.after)?.unwrap_or(0);
        Ok(Window { after, before: position(&self.before)?, first, last })
    }
}

const CURSOR: &str = "cursor:v1:";

pub(super) fn cursor(position: i64) -> String {
    BASE64.encode(format!("{CURSOR}{position}").as_bytes())
}

/// Reads a cursor. Clients send an empty one for the beginning.
fn position(cursor: &str) -> Result<i64> {
    if cursor.is_empty() {
        return Ok(0);
    }
    let decoded = BASE64.decode(cursor.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let number =
        decoded.as_deref().and_then(|text| text.strip_prefix(CURSOR)).and_then(|text| text.parse().ok());
    number
        .filter(|position: &u32| *position < u32::MAX)
        .map(i64::from)
        .ok_or_else(|| Error::malformed(format!("`{cursor}` does not appear to be a valid cursor.")))
}

/// Information about pagination in a connection.
#[derive(SimpleObject, Clone, Debug, Default)]
pub(crate) struct PageInfo {
    /// When paginating forwards, the cursor to continue.
    end_cursor: Option<String>,
    /// When paginating forwards, are there more items?
    has_next_page: bool,
    /// When paginating backwards, are there more items?
    has_previous_page: bool,
    /// When paginating backwards, the cursor to continue.
    start_cursor: Option<String>,
}

impl PageInfo {
    /// Returns what is before and after part of a list.
    pub(crate) fn of<T>(page: &Windowed<T>) -> Self {
        let (first, last) = (page.items.first(), page.items.last());
        Self {
            end_cursor: last.map(|(position, _)| cursor(*position)),
            has_next_page: last.is_some_and(|(position, _)| *position < page.total),
            has_previous_page: first.is_some_and(|(position, _)| *position > 1),
            start_cursor: first.map(|(position, _)| cursor(*position)),
        }
    }
}

/// An edge in a connection.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "LabelEdge", params(Label)),
    concrete(name = "MilestoneEdge", params(Milestone)),
    concrete(name = "OrganizationEdge", params(Organization)),
    concrete(name = "ProjectEdge", params(Project)),
    concrete(name = "ProjectV2Edge", params(ProjectV2)),
    concrete(name = "RepositoryEdge", params(Repository)),
    concrete(name = "RepositoryTopicEdge", params(RepositoryTopic)),
    concrete(name = "UserEdge", params(User))
)]
pub(crate) struct Edge<T: OutputType> {
    /// A cursor for use in pagination.
    cursor: String,
    /// The item at the end of the edge.
    node: Option<T>,
}

/// Part of a list.
#[derive(Clone)]
pub(crate) struct Connection<T>(pub(crate) Windowed<T>);

impl<T> Connection<T> {
    /// Returns the connection to nothing.
    pub(crate) const fn empty() -> Self {
        Self(Windowed::empty())
    }
}

#[Object(
    concrete(name = "LabelConnection", params(Label)),
    concrete(name = "MilestoneConnection", params(Milestone)),
    concrete(name = "OrganizationConnection", params(Organization)),
    concrete(name = "ProjectConnection", params(Project)),
    concrete(name = "ProjectV2Connection", params(ProjectV2)),
    concrete(name = "RepositoryConnection", params(Repository)),
    concrete(name = "RepositoryTopicConnection", params(RepositoryTopic)),
    concrete(name = "UserConnection", params(User))
)]
impl<T: OutputType + Clone> Connection<T>
where
    Edge<T>: OutputType,
{
    /// A list of edges.
    async fn edges(&self) -> Option<Vec<Option<Edge<T>>>> {
        let edge =
            |(position, item): &(i64, T)| Some(Edge { cursor: cursor(*position), node: Some(item.clone()) });
        Some(self.0.items.iter().map(edge).collect())
    }

    /// A list of nodes.
    async fn nodes(&self) -> Option<Vec<Option<T>>> {
        Some(self.0.items.iter().map(|(_, item)| Some(item.clone())).collect())
    }

    /// Information to aid in pagination.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0)
    }

    /// Identifies the total count of items in the connection.
    async fn total_count(&self) -> i32 {
        int(self.0.total)
    }
}

/// The languages of a repository.
pub(crate) struct LanguageConnection;

/// Represents the language of a repository.
pub(crate) struct LanguageEdge(Infallible);

#[Object]
impl LanguageEdge {
    /// The language.
    async fn node(&self) -> Language {
        absurd(&self.0)
    }

    /// The number of bytes of code written in the language.
    async fn size(&self) -> i32 {
        absurd(&self.0)
    }
}

/// A list of languages associated with the parent.
#[Object]
impl LanguageConnection {
    /// A list of edges.
    async fn edges(&self) -> Option<Vec<Option<LanguageEdge>>> {
        Some(Vec::new())
    }

    /// A list of nodes.
    async fn nodes(&self) -> Option<Vec<Option<Language>>> {
        Some(Vec::new())
    }

    /// Information to aid in pagination.
    async fn page_info(&self) -> PageInfo {
        PageInfo::default()
    }

    /// Identifies the total count of items in the connection.
    async fn total_count(&self) -> i32 {
        0
    }

    /// The total size in bytes of files written in that language.
    async fn total_size(&self) -> i32 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back_and_others_refused() {
        assert_eq!(position(&cursor(17)).expect("a cursor"), 17);
        assert_eq!(position("").expect("the beginning"), 0);
        for text in ["x", "Y3Vyc29yOnYxOg==", "Y3Vyc29yOnYxOi0x", "17"] {
            let error = position(text).expect_err(text);
            assert_eq!(error.message(), format!("`{text}` does not appear to be a valid cursor."));
        }
    }
}
