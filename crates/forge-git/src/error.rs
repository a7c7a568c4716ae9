//! What can go wrong with Git data, by who has to do something about it.

use std::fmt;
use std::io;

use forge_types::ObjectId;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. The text of the first five kinds is meant for the client; the others are the operator's.
#[derive(Debug)]
pub enum Error {
    /// The client's request breaks the protocol.
    Protocol(String),
    /// The client's request is over a limit.
    TooLarge(String),
    /// The pack that the client sent is refused.
    BadPack(String),
    /// The client asked for an object that it may not see, or that does not exist.
    NotOurRef(ObjectId),
    /// Too many Git processes run already, or this one took too long.
    Busy(String),
    /// The object is not in the repository.
    MissingObject(ObjectId),
    /// The object is there but is no commit, tree, blob or tag as asked.
    WrongKind {
        /// The object.
        id: ObjectId,
        /// What was expected.
        expected: &'static str,
    },
    /// The `git` program is absent, too old or does not start.
    Program(String),
    /// Stored data does not read.
    Corrupt(String),
    /// The file system refused.
    Io {
        /// What was being done.
        context: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(context: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let context = context.into();
        move |source| Self::Io { context, source }
    }

    pub(crate) fn corrupt(context: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::Corrupt(format!("{context}: {cause}"))
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::Protocol(message.into())
    }

    /// Is this the client's fault, so that the text may be shown to it?
    pub fn is_for_client(&self) -> bool {
        match self {
            Self::Protocol(_) | Self::TooLarge(_) | Self::BadPack(_) | Self::NotOurRef(_) | Self::Busy(_) => {
                true
            }
            Self::MissingObject(_)
            | Self::WrongKind { .. }
            | Self::Program(_)
            | Self::Corrupt(_)
            | Self::Io { .. } => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(message)
            | Self::TooLarge(message)
            | Self::BadPack(message)
            | Self::Busy(message) => f.write_str(message),
            Self::NotOurRef(id) => write!(f, "not our ref {id}"),
            Self::MissingObject(id) => write!(f, "object {id} is missing"),
            Self::WrongKind { id, expected } => write!(f, "object {id} is not a {expected}"),
            Self::Program(message) | Self::Corrupt(message) => f.write_str(message),
            Self::Io { context, source } => write!(f, "{context}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
