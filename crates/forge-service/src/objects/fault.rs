//! What faults of Git data mean to whoever sent it.

use forge_types::Error;

use crate::git::fault;

/// Turns a fault of data that the caller sent or named into an error: its own mistakes break a rule, none is a fault of ours.
pub(crate) fn refused(error: forge_git::Error) -> Error {
    use forge_git::Error as Git;
    match error {
        Git::Protocol(message) | Git::BadPack(message) => Error::unprocessable(message),
        Git::WrongKind { id, expected } => Error::unprocessable(format!("object `{id}` is not a {expected}")),
        Git::MissingObject(id) | Git::NotOurRef(id) => {
            Error::unprocessable(format!("object `{id}` does not exist"))
        }
        error => fault(error),
    }
}
