//! Being told to stop, or to read again what stands in files.

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Failure, Result};

/// Waits for SIGINT or SIGTERM.
///
/// The handlers are set when this is called, not when the future is first polled.
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
    let failed = |error| Failure::io("cannot wait for signals", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Calls `reload` for every SIGHUP.
pub async fn on_hangup<F: Future<Output = ()>>(reload: impl Fn() -> F) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => {
            tracing::warn!(%error, "cannot wait for SIGHUP");
            return;
        }
    };
    while hangup.recv().await.is_some() {
        reload().await;
    }
}
