//! What happened, as the audit log keeps it. A use case records exactly one event per effect, in its transaction.

use serde_json::{Map, Value};

use crate::account::AccountKind;
use crate::id::{AccountId, RepositoryId};
use crate::repository::Repository;

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
    /// What it concerns in words that outlive it, such as `repo:OWNER/NAME`; found by the ids where it is not said.
    pub resource: Option<String>,
    /// What came of it, such as the refs that moved; the object it was done to where it is not said.
    pub side_effect: Option<Value>,
    /// What the reader needs to understand it; never a secret, never personal.
    pub details: Map<String, Value>,
    /// What is personal in it and can be erased without breaking the log, such as an e-mail address.
    pub personal: Map<String, Value>,
}

impl Event {
    /// Creates an event without particulars.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            repository_id: None,
            organization_id: None,
            subject_id: None,
            resource: None,
            side_effect: None,
            details: Map::new(),
            personal: Map::new(),
        }
    }

    /// Says which repository it concerns.
    #[must_use]
    pub fn repository(mut self, id: RepositoryId) -> Self {
        self.repository_id = Some(id);
        self
    }

    /// Says which repository it concerns, with its name, so that nobody has to look it up.
    #[must_use]
    pub fn about(mut self, repository: &Repository) -> Self {
        self.repository_id = Some(repository.id);
        self.resource = Some(format!("repo:{}", repository.full_name()));
        if repository.owner.kind == AccountKind::Organization {
            self.organization_id = Some(repository.owner.id);
        }
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

    /// Says which human it concerns, with the login, so that nobody has to look it up: where what is unknown must cost the
    /// same as what is known.
    #[must_use]
    pub fn human(mut self, id: AccountId, login: &str) -> Self {
        self.subject_id = Some(id);
        self.resource = Some(format!("user:{login}"));
        self
    }

    /// Says what came of it.
    #[must_use]
    pub fn causing(mut self, side_effect: Value) -> Self {
        self.side_effect = Some(side_effect);
        self
    }

    /// Adds a particular.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a particular that is personal, if there is one.
    #[must_use]
    pub fn personal(mut self, key: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.personal.insert(key.to_owned(), value.into());
        }
        self
    }
}
