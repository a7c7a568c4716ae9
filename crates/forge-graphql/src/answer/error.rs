//! Errors of a query, and how the kinds of errors of the forge are called in GraphQL.

use async_graphql::{PathSegment, Pos, ServerError};
use forge_types::{Error, ErrorKind, Withheld};
use serde_json::{Map, Value, json};

/// The `type` of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NotFound,
    Forbidden,
    ApprovalRequired,
    InsufficientScopes,
    ReadOnly,
    StrongerAuth,
    Unprocessable,
    StaleData,
    RateLimited,
    ServiceUnavailable,
    Internal,
    MaxNodeLimitExceeded,
    MissingPaginationBoundaries,
    ExcessivePagination,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::ApprovalRequired => "APPROVAL_REQUIRED",
            Self::InsufficientScopes => "INSUFFICIENT_SCOPES",
            Self::ReadOnly => "READ_ONLY",
            Self::StrongerAuth => "STRONGER_AUTH",
            Self::Unprocessable => "UNPROCESSABLE",
            Self::StaleData => "STALE_DATA",
            Self::RateLimited => "RATE_LIMITED",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Internal => "INTERNAL",
            Self::MaxNodeLimitExceeded => "MAX_NODE_LIMIT_EXCEEDED",
            Self::MissingPaginationBoundaries => "MISSING_PAGINATION_BOUNDARIES",
            Self::ExcessivePagination => "EXCESSIVE_PAGINATION",
        }
    }

    /// Returns the type of an error of the forge. The caller of a query is always known: what takes a credential it
    /// does not have is forbidden to it.
    pub(crate) const fn of(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unauthenticated | ErrorKind::Unproved(_) | ErrorKind::Forbidden => Self::Forbidden,
            ErrorKind::ApprovalRequired(_) => Self::ApprovalRequired,
            ErrorKind::Withheld(Withheld::ReadOnly) => Self::ReadOnly,
            ErrorKind::Withheld(Withheld::StrongerAuthentication) => Self::StrongerAuth,
            ErrorKind::Withheld(Withheld::ReviewNeeded) => Self::Unprocessable,
            ErrorKind::InsufficientScope(_) => Self::InsufficientScopes,
            ErrorKind::Malformed | ErrorKind::Invalid(_) | ErrorKind::Conflict | ErrorKind::TooLarge => {
                Self::Unprocessable
            }
            ErrorKind::Stale => Self::StaleData,
            ErrorKind::RateLimited(_) => Self::RateLimited,
            ErrorKind::Unavailable(_) => Self::ServiceUnavailable,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// One entry of `errors`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueryError {
    pub(crate) message: String,
    kind: Option<Kind>,
    path: Vec<PathSegment>,
    locations: Vec<Pos>,
    extensions: Box<Map<String, Value>>,
}

impl QueryError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: None,
            path: Vec::new(),
            locations: Vec::new(),
            extensions: Box::default(),
        }
    }

    pub(crate) fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    pub(crate) fn path(mut self, path: Vec<PathSegment>) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn at(mut self, position: Pos) -> Self {
        self.locations.push(position);
        self
    }

    pub(crate) fn locations(mut self, positions: Vec<Pos>) -> Self {
        self.locations = positions;
        self
    }

    pub(crate) fn extension(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut members = Map::new();
        if let Some(kind) = self.kind {
            members.insert("type".to_owned(), kind.as_str().into());
        }
        if !self.path.is_empty() {
            members.insert("path".to_owned(), self.path.iter().map(segment).collect());
        }
        if !self.extensions.is_empty() {
            members.insert("extensions".to_owned(), Value::Object(Map::clone(&self.extensions)));
        }
        if !self.locations.is_empty() {
            let place = |pos: &Pos| json!({ "line": pos.line, "column": pos.column });
            members.insert("locations".to_owned(), self.locations.iter().map(place).collect());
        }
        members.insert("message".to_owned(), self.message.as_str().into());
        Value::Object(members)
    }
}

fn segment(segment: &PathSegment) -> Value {
    match segment {
        PathSegment::Field(name) => name.as_str().into(),
        PathSegment::Index(index) => (*index).into(),
    }
}

/// Returns the forge's own error in what the executor reports, if it came from a use case.
pub(crate) fn own(error: &ServerError) -> Option<&Error> {
    error.source::<Error>()
}

/// Returns `error` with GitHub's words for something that is not there; other errors stay as they are.
pub(crate) fn could_not_resolve(error: Error, what: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("Could not resolve to {what}.")),
        _ => error,
    }
}

/// Returns the error for a node id that leads nowhere.
pub(crate) fn unresolvable_node(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("Could not resolve to a node with the global id of '{id}'."))
}
