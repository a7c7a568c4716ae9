//! Push: what a client sends, and how its objects get in.
//!
//! The steps, each of which may end it, in this order:
//! 1. [`Request::read`] parses commands and options; the stream then stands at the pack.
//! 2. The caller decides which commands it refuses already. If it refuses all, [`drain`] the stream, so that the client
//!    reads the answer instead of failing to send.
//! 3. [`Quarantine::ingest`] indexes and checks the pack in a directory of its own: a small one in this process (`small`), a
//!    large or unusual one by `git index-pack`.
//! 4. [`Quarantine::check_sizes`] refuses files that are too large; [`Quarantine::check_connectivity`] proves that nothing a new tip needs is missing.
//! 5. [`Quarantine::publish`] makes the pack durably part of the repository.
//! 6. The caller moves the refs, and answers with [`Reply::finish`]. If it moves none,
//!    [`Repository::remove_pack`](crate::Repository::remove_pack) takes the pack away again.
//!
//! INVARIANT: dropping a [`Quarantine`] at any step leaves no trace; the repository never has an object that was not checked.
//! The body is expected decoded (`Content-Encoding` is the edge's).

mod brought;
mod certificate;
mod connectivity;
mod ingest;
mod quarantine;
mod reply;
mod report;
mod request;
mod sizes;
pub(crate) mod small;

pub use certificate::Certificate;
pub use ingest::IngestLimits;
pub use quarantine::Quarantine;
pub use reply::Reply;
pub use report::{CommandStatus, Unpack, report_status};
pub use request::{Capabilities, Command, Request, RequestLimits};

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

/// How long a client may be silent while the rest of its request is awaited.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads and forgets the rest of a request, up to a limit; returns whether its end was reached.
pub async fn drain(mut from: impl AsyncRead + Unpin, limit: u64) -> bool {
    let mut buffer = vec![0u8; 64 * 1024];
    let mut total = 0u64;
    while total <= limit {
        match timeout(PATIENCE, from.read(&mut buffer)).await {
            Ok(Ok(0)) => return true,
            Ok(Ok(count)) => total += count as u64,
            Ok(Err(_)) | Err(_) => return false,
        }
    }
    false
}
