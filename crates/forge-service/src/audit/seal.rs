//! Linking committed events into the chain: `hash = SHA-256(hash before || content hash)`.
//!
//! Writers know nothing of this. Every node tries; whoever lengthens the chain holds it for a while, and the others leave it
//! alone. INVARIANT: each link begins where the chain ends at that moment, and moves that end in the same transaction. The
//! hold only spares work; two nodes that both believe to have it cannot both succeed.

use std::sync::Arc;
use std::time::Duration;

use forge_store::audit::{ChainHead, Hold, Unsealed};
use forge_types::Result;
use forge_types::id::AuditEventId;
use sha2::{Digest, Sha256};

use crate::app::App;

/// How long the chain is held after each link. A node that dies keeps the others waiting for as long.
const HOLD: Duration = Duration::from_secs(3);
/// A hold that ends later than this was taken by a clock that is wrong.
const FARTHEST: Duration = Duration::from_secs(60);
/// How many events are linked in one transaction. On SQLite writers wait for it, so it is short.
const BATCH: i64 = 256;

/// Returns the hash that a chain begins with.
#[must_use]
pub fn beginning(chain_id: &str) -> [u8; 32] {
    Sha256::digest(format!("forge audit chain 1\n{chain_id}\n").as_bytes()).into()
}

/// Returns the hash after a link.
#[must_use]
pub fn link(before: &[u8], content_hash: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(before);
    digest.update(content_hash);
    digest.finalize().into()
}

/// Who lengthens the chain on this node.
#[derive(Clone)]
pub struct Sealer {
    pub(super) app: Arc<App>,
    pub(super) holder: String,
}

impl Sealer {
    /// Creates the sealer of a process; its name tells it from those of other nodes, and of this one in former lives.
    #[must_use]
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app), holder: app.random_id("") }
    }

    /// Links every event that waits, unless another node does. Returns how many were linked.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub async fn seal(&self) -> Result<usize> {
        let mut sealed = 0;
        loop {
            let mut conn = self.app.db.read().await?;
            if !forge_store::audit::is_unsealed(&mut conn).await? {
                return Ok(sealed);
            }
            let Some(head) = forge_store::audit::find_head(&mut conn).await? else {
                drop(conn);
                self.begin().await?;
                continue;
            };
            if self.is_held_by_another(&head) {
                return Ok(sealed);
            }
            let waiting = forge_store::audit::list_to_seal(&mut conn, BATCH).await?;
            drop(conn);
            match self.seal_batch(&head, &waiting).await? {
                0 => return Ok(sealed),
                count => sealed += count,
            }
        }
    }

    async fn seal_batch(&self, head: &ChainHead, waiting: &[Unsealed]) -> Result<usize> {
        let links = links(&head.hash, waiting);
        let Some((_, last)) = links.last() else { return Ok(0) };
        let to = head.position + i64::try_from(links.len()).unwrap_or(i64::MAX);
        let mut tx = self.app.db.begin().await?;
        if !forge_store::audit::hold_chain(&mut tx, head.position, (to, last), &self.hold()).await? {
            return Ok(0);
        }
        forge_store::audit::insert_seals(&mut tx, head.position, &links).await?;
        tx.commit().await?;
        Ok(links.len())
    }

    /// Begins the chain. Its name is part of its first hash, so that no chain can be passed off as another.
    async fn begin(&self) -> Result<()> {
        let chain_id = self.app.random_id("ach_");
        let mut tx = self.app.db.begin().await?;
        forge_store::audit::begin_chain(&mut tx, &chain_id, &beginning(&chain_id)).await?;
        Ok(tx.commit().await?)
    }

    /// Lets go of the chain, so that another node need not wait.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub async fn release(&self) -> Result<()> {
        let mut tx = self.app.db.begin().await?;
        forge_store::audit::release_chain(&mut tx, &self.holder).await?;
        Ok(tx.commit().await?)
    }

    pub(super) fn hold(&self) -> Hold<'_> {
        let now = self.app.now();
        Hold { holder: &self.holder, now, until: now.plus(HOLD), farthest: now.plus(FARTHEST) }
    }

    pub(super) fn is_held_by_another(&self, head: &ChainHead) -> bool {
        let hold = self.hold();
        let is_ours = head.holder.as_ref().is_none_or(|holder| *holder == self.holder);
        !is_ours && head.held_until.is_some_and(|until| until > hold.now && until <= hold.farthest)
    }
}

fn links(before: &[u8], waiting: &[Unsealed]) -> Vec<(AuditEventId, [u8; 32])> {
    let mut hash = before.to_vec();
    let next = |event: &Unsealed| {
        let linked = link(&hash, &event.content_hash);
        hash = linked.to_vec();
        (event.event_id, linked)
    };
    waiting.iter().map(next).collect()
}
