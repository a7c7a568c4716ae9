//! What happened, as the audit log keeps it. A use case records exactly one event per effect, in its transaction.

use serde_json::{Map, Value};

use crate::id::{AccountId, RepositoryId};

/// A recorded fact, without the caller, request and time, which the context adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The name, `noun.verb` in the past tense: `repository.created`.
    pub name: &'static str,
    /// The repository it concerns.
    pub repository_id: Option<RepositoryId>,
    /// The organization it concerns.
    pub organization_id: Option<AccountId>,
    /// The account it concerns, when that is not the actor.
    pub subject_id: Option<AccountId>,
    /// What the reader needs to understand it; never a secret.
    pub details: Map<String, Value>,
}

impl Event {
    /// Creates an event without particulars.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, repository_id: None, organization_id: None, subject_id: None, details: Map::new() }
    }

    /// Says which repository it concerns.
    #[must_use]
    pub fn repository(mut self, id: RepositoryId) -> Self {
        self.repository_id = Some(id);
        self
    }

    /// Says which organization it concerns.
    #[must_use]
    pub fn organization(mut self, id: AccountId) -> Self {
        self.organization_id = Some(id);
        self
    }

    /// Says which account it concerns.
    #[must_use]
    pub fn subject(mut self, id: AccountId) -> Self {
        self.subject_id = Some(id);
        self
    }

    /// Adds a particular.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }
}
