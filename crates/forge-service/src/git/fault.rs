//! What faults of Git data mean to callers.

use std::time::Duration;

use forge_types::{Error, ErrorKind};

/// Waits for a request to be read, but not for a client that sends a byte now and then.
pub(super) async fn in_time<T>(
    limit: Duration,
    read: impl Future<Output = forge_git::Result<T>>,
) -> forge_git::Result<T> {
    let late = |_| forge_git::Error::Protocol("the request took too long to come".to_owned());
    tokio::time::timeout(limit, read).await.map_err(late)?
}

/// Turns a fault of Git data into an error of the forge.
pub(crate) fn fault(error: forge_git::Error) -> Error {
    use forge_git::Error as Git;
    match error {
        Git::Protocol(message) => Error::malformed(message),
        Git::TooLarge(message) => Error::new(ErrorKind::TooLarge, message),
        Git::BadPack(message) => Error::unprocessable(message),
        Git::NotOurRef(_) | Git::MissingObject(_) => Error::not_found().with_source(error),
        Git::Busy(message) => Error::new(ErrorKind::Unavailable(Duration::from_secs(5)), message),
        Git::Io { .. } | Git::Program(_) => Error::unavailable(Duration::from_secs(30)).with_source(error),
        Git::WrongKind { .. } | Git::Corrupt(_) => Error::internal(error),
    }
}

/// Returns what a Git client is told about a fault: its own mistakes in full, ours in general.
pub(crate) fn told(error: &forge_git::Error) -> String {
    if error.is_for_client() {
        return error.to_string();
    }
    tracing::error!(%error, "git request failed");
    "the server could not do this right now, try again shortly".to_owned()
}
