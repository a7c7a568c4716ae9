//! News for work that is under way, of kill switches and of approvals: at once from this process, and within half a second
//! from others.

use std::time::Duration;

use tokio::sync::watch;

/// How long what happened on another node may go unnoticed by work under way. What such work commits looks itself.
const LOOK: Duration = Duration::from_millis(500);

/// Where news is announced.
#[derive(Debug)]
pub(crate) struct Announcements(watch::Sender<u64>);

/// Where it is listened for.
pub(crate) struct News(watch::Receiver<u64>);

impl Default for Announcements {
    fn default() -> Self {
        Self(watch::channel(0).0)
    }
}

impl Announcements {
    /// Says that something happened.
    pub(crate) fn announce(&self) {
        self.0.send_modify(|number| *number += 1);
    }

    /// Begins to listen.
    pub(crate) fn listen(&self) -> News {
        News(self.0.subscribe())
    }
}

impl News {
    /// Returns when it is time to look.
    pub(crate) async fn wait(&mut self) {
        // Should the sender be gone, the forge is ending; then time alone tells.
        let changed = async {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let _ = tokio::time::timeout(LOOK, changed).await;
    }
}
