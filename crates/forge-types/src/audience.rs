//! Where a credential is good for anything (RFC 8707): surfaces, and for Git one repository.

use std::collections::BTreeSet;
use std::fmt;

use crate::id::RepositoryId;

/// One place where a credential is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The REST API.
    Rest,
    /// The GraphQL API.
    GraphQl,
    /// The Git transport of one repository.
    Git(RepositoryId),
}

/// The places where a credential is good; never none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(BTreeSet<Place>);

impl Audience {
    /// Returns the audience of these places; `None` if there are none.
    #[must_use]
    pub fn new(places: impl IntoIterator<Item = Place>) -> Option<Self> {
        let places: BTreeSet<Place> = places.into_iter().collect();
        (!places.is_empty()).then_some(Self(places))
    }

    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let place = |word: &str| match word.split_once(':') {
            None if word == "rest" => Some(Place::Rest),
            None if word == "graphql" => Some(Place::GraphQl),
            Some(("git", id)) => id.parse().ok().map(|id| Place::Git(RepositoryId(id))),
            _ => None,
        };
        Self::new(text.split(' ').map(place).collect::<Option<Vec<_>>>()?)
    }

    /// Returns the places.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.0.iter().copied()
    }

    /// Returns whether the place is among them.
    #[must_use]
    pub fn includes(&self, place: Place) -> bool {
        self.0.contains(&place)
    }

    /// Returns whether any repository's Git transport is among them.
    #[must_use]
    pub fn includes_git(&self) -> bool {
        self.0.iter().any(|place| matches!(place, Place::Git(_)))
    }

    /// Returns whether every place is one of `wider`.
    #[must_use]
    pub fn within(&self, wider: &Self) -> bool {
        self.0.is_subset(&wider.0)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |place: &Place| match place {
            Place::Rest => "rest".to_owned(),
            Place::GraphQl => "graphql".to_owned(),
            Place::Git(id) => format!("git:{id}"),
        };
        f.write_str(&self.0.iter().map(word).collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_read_as_it_was_written() {
        let audience = Audience::new([Place::Git(RepositoryId(7)), Place::Rest]).expect("places");
        assert_eq!(audience.to_string(), "rest git:7");
        assert_eq!(Audience::parse("rest git:7"), Some(audience));
        for text in ["", "rest ", "everything", "git", "git:x"] {
            assert_eq!(Audience::parse(text), None, "{text:?}");
        }
    }
}
