//! An answer on its way: a short queue between whoever makes it and whoever sends it.
//!
//! A client that reads slowly slows the maker down; one that stops for too long or hangs up ends it, and so does the time limit.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{Error, ProcessLimits, Result};

/// How many pieces wait to be sent.
const QUEUE: usize = 8;

/// The answer to a fetch, as it comes.
#[derive(Debug)]
pub struct PackStream {
    first: Option<Bytes>,
    chunks: Option<mpsc::Receiver<Result<Bytes>>>,
}

impl PackStream {
    /// Returns an answer that is ready.
    pub(super) fn ready(bytes: impl Into<Bytes>) -> Self {
        Self { first: Some(bytes.into()), chunks: None }
    }

    /// Returns the two ends of an answer that is to be made.
    pub(super) fn channel(limits: ProcessLimits) -> (Sender, Self) {
        let (to, chunks) = mpsc::channel(QUEUE);
        let sender = Sender { to, stall: limits.stall, deadline: Instant::now() + limits.run };
        (sender, Self { first: None, chunks: Some(chunks) })
    }

    /// Returns the next bytes, `None` at the end. An error means that the answer must be cut off, not ended.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        self.chunks.as_mut()?.recv().await
    }

    /// Returns the whole answer if it was ready from the start.
    pub fn into_ready(mut self) -> Result<Bytes, Self> {
        match (self.first.take(), &self.chunks) {
            (Some(first), None) => Ok(first),
            (first, _) => Err(Self { first, chunks: self.chunks }),
        }
    }
}

/// The end into which the answer is put.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    to: mpsc::Sender<Result<Bytes>>,
    stall: Duration,
    deadline: Instant,
}

impl Sender {
    /// Makes the answer, until it is made, the client hangs up, or time is over.
    pub(super) async fn run<F: Future<Output = Result<()>>>(self, make: impl FnOnce(Self) -> F) {
        let (to, deadline) = (self.to.clone(), self.deadline);
        let outcome = tokio::select! {
            outcome = timeout_at(deadline, make(self)) => outcome,
            () = to.closed() => return,
        };
        let outcome = outcome.unwrap_or_else(|_| Err(Error::Busy("the transfer took too long".into())));
        if let Err(error) = outcome {
            tracing::warn!(%error, "a fetch was cut off");
            // Whoever hung up does not hear it.
            let _ = to.try_send(Err(error));
        }
    }

    /// Sends a piece as soon as the client has read those before it.
    pub(super) async fn send(&self, bytes: Bytes) -> Result<()> {
        match timeout(self.stall, self.to.send(Ok(bytes))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Busy("the client hung up".into())),
            Err(_) => Err(Error::Busy("the client stopped reading".into())),
        }
    }

    /// Is there still somebody who waits, and time left? For work that cannot be dropped in the middle.
    pub(super) fn is_over(&self) -> bool {
        self.to.is_closed() || Instant::now() >= self.deadline
    }
}
