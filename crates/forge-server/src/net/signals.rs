//! Being told to stop.

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
