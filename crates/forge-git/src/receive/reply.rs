//! What the client hears while its push is worked on: progress, lines for people, signs of life, and the report.
//!
//! INVARIANT: a client that stops reading or hangs up never holds up a push. Progress is dropped when the client is slow;
//! the report waits for it a bounded time. Nothing is sent before the request was read whole, and nothing after the report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Capabilities;
use crate::wire::pkt;
use crate::wire::sideband;

/// How long the report waits for a client that does not read.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a sign of life is sent while nothing else is: proxies cut idle connections.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);

/// The sending end of an answer to a push.
#[derive(Debug)]
pub struct Reply {
    to: mpsc::Sender<Bytes>,
    side_band: bool,
    quiet: bool,
    /// Has the report begun? Shared with the task that sends signs of life.
    is_over: Arc<Mutex<bool>>,
    /// Are signs of life sent?
    is_alive: AtomicBool,
}

impl Reply {
    /// Makes a reply for a client of these capabilities; the receiver is the body of the answer.
    ///
    /// The edge waits for the first bytes, or the end, before it answers: until then the client is still sending.
    pub fn channel(capabilities: &Capabilities) -> (Self, mpsc::Receiver<Bytes>) {
        let (to, body) = mpsc::channel(256);
        let (side_band, quiet) = (capabilities.side_band_64k, capabilities.quiet);
        (Self { to, side_band, quiet, is_over: Arc::default(), is_alive: AtomicBool::new(false) }, body)
    }

    /// Says that the request was read whole: from now on the client listens, and is sent signs of life.
    pub fn keep_alive(&self) {
        self.keep_alive_every(KEEP_ALIVE_EVERY);
    }

    fn keep_alive_every(&self, period: Duration) {
        if !self.side_band || self.is_alive.swap(true, Ordering::Relaxed) {
            return;
        }
        let (to, is_over) = (self.to.downgrade(), Arc::clone(&self.is_over));
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
            loop {
                ticks.tick().await;
                let Some(to) = to.upgrade() else { return };
                let is_over = is_over.lock().unwrap_or_else(PoisonError::into_inner);
                if *is_over {
                    return;
                }
                let _ = to.try_send(Bytes::from_static(sideband::KEEP_ALIVE));
            }
        });
    }

    /// Sends text that overwrites itself on the client's terminal, unless it wants none.
    pub(crate) fn progress(&self, text: &[u8]) {
        if self.side_band && !self.quiet {
            let mut out = Vec::with_capacity(text.len() + 8);
            sideband::write(&mut out, sideband::PROGRESS, text);
            // A full queue is a client that does not read: it misses some progress.
            let _ = self.to.try_send(out.into());
        }
    }

    /// Sends lines that the client prints behind `remote: `. Clients without side-band cannot be told.
    pub async fn message(&self, text: &str) {
        if self.side_band && !text.is_empty() {
            let mut out = Vec::new();
            sideband::write_message(&mut out, text);
            self.send(out).await;
        }
    }

    /// Returns once the client is gone.
    pub async fn hung_up(&self) {
        self.to.closed().await;
    }

    /// Sends the report and ends the answer.
    pub async fn finish(self, report: &[u8]) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let mut out = Vec::with_capacity(report.len() + 16);
        if self.side_band {
            sideband::write(&mut out, sideband::DATA, report);
            out.extend_from_slice(pkt::FLUSH);
        } else {
            out.extend_from_slice(report);
        }
        self.send(out).await;
    }

    async fn send(&self, bytes: Vec<u8>) {
        // Whoever hung up does not hear it: the push is done all the same.
        let _ = self.to.send_timeout(bytes.into(), PATIENCE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn signs_of_life_come_until_the_report_and_never_after() {
        let capabilities = Capabilities { side_band_64k: true, ..Capabilities::default() };
        let (reply, mut body) = Reply::channel(&capabilities);
        reply.keep_alive_every(Duration::from_millis(2));
        assert_eq!(body.recv().await.unwrap(), sideband::KEEP_ALIVE);
        assert_eq!(body.recv().await.unwrap(), sideband::KEEP_ALIVE);
        let over = Arc::clone(&reply.is_over);
        reply.finish(b"0000").await;
        let mut rest = Vec::new();
        while let Some(bytes) = body.recv().await {
            rest.push(bytes);
        }
        assert!(*over.lock().unwrap());
        assert_eq!(rest.last().unwrap(), &b"0009\x0100000000"[..], "the report is the end");
    }

    #[tokio::test]
    async fn client_without_side_band_gets_the_report_alone() {
        let (reply, mut body) = Reply::channel(&Capabilities::default());
        reply.progress(b"50%");
        reply.message("hello").await;
        reply.finish(b"0000").await;
        assert_eq!(body.recv().await.unwrap(), &b"0000"[..]);
        assert!(body.recv().await.is_none());
    }
}
