//! Following the log as it grows: sealed events in the order of the chain, each once, to whoever may list them.
//!
//! A stream is bounded: so many at a time, in all and for one account, each for a while, after which its reader goes on
//! where it stopped. It ends when what its reader came with does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forge_store::audit::AuditEvent;
use forge_types::id::AccountId;
use forge_types::{Error, ErrorKind, Result};

use super::log::{AuditQuery, viewer_and_filter};
use crate::app::App;
use crate::context::RequestContext;

/// How many streams there are at a time, in all and for one account.
const MOST: usize = 64;
const MOST_OF_ONE: usize = 4;
/// How many events are read at once.
const BATCH: i64 = 100;

/// The streams of this node.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: Mutex<HashMap<AccountId, usize>>,
    is_ending: AtomicBool,
}

/// A stream that is counted as long as this lives.
pub struct OpenStream {
    app: Arc<App>,
    account: AccountId,
}

/// Begins a stream.
///
/// # Errors
/// What listing says; `RateLimited` if there are too many.
pub async fn open(ctx: &RequestContext, query: &AuditQuery) -> Result<OpenStream> {
    let mut conn = ctx.read().await?;
    viewer_and_filter(ctx, &mut conn, query.clone()).await?;
    // The console has no account and is counted as one.
    let account = ctx.account_id().unwrap_or(AccountId(0));
    let app = Arc::clone(ctx.app());
    let mut open = app.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
    let (all, own) = (open.values().sum::<usize>(), open.get(&account).copied().unwrap_or(0));
    if all >= MOST || own >= MOST_OF_ONE {
        let wait = Duration::from_secs(30);
        return Err(Error::new(ErrorKind::RateLimited(wait), "too many streams are open"));
    }
    open.insert(account, own + 1);
    drop(open);
    Ok(OpenStream { app, account })
}

/// Returns the next events after a position of the chain, as many as are read at once; none when there are no more yet.
///
/// # Errors
/// What listing says; `Unauthenticated` when what the caller came with has ended; `Unavailable` when the server stops.
pub async fn next(ctx: &RequestContext, query: &AuditQuery, position: i64) -> Result<Vec<AuditEvent>> {
    if ctx.app().streams.is_ending.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::Unavailable(Duration::from_secs(1)), "the server stops"));
    }
    let mut tx = ctx.begin().await?;
    if !ctx.still_stands(&mut tx).await? {
        return Err(Error::bad_credentials());
    }
    drop(tx);
    let mut conn = ctx.read().await?;
    let filter = viewer_and_filter(ctx, &mut conn, query.clone()).await?;
    Ok(forge_store::audit::list_sealed(&mut conn, &filter, position, BATCH).await?)
}

impl App {
    /// Ends all streams of events soon, because the server stops.
    pub fn end_streams(&self) {
        self.streams.is_ending.store(true, Ordering::Relaxed);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.app.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        let left = open.get(&self.account).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => drop(open.remove(&self.account)),
            left => drop(open.insert(self.account, left)),
        }
    }
}
