//! Checkpoints: what the end of the chain was at a time, signed, for places that the forge has no power over.

use forge_auth::signing::PublicKey;
use forge_store::audit::{Checkpoint, NewCheckpoint};
use forge_types::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::seal::Sealer;
use crate::app::{App, key_fault};

/// A checkpoint as it is published: a line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Which chain it is of.
    pub chain: String,
    /// How many links the chain had.
    pub position: i64,
    /// The hash of the last one, in hexadecimal.
    pub hash: String,
    /// When, in microseconds since 1970.
    pub created_at_micros: i64,
    /// The key it is signed with.
    pub key_id: String,
    /// The Ed25519 signature of [`statement`], in hexadecimal.
    pub signature: String,
}

impl From<&Checkpoint> for Published {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            chain: checkpoint.chain_id.clone(),
            position: checkpoint.position,
            hash: data_encoding::HEXLOWER.encode(&checkpoint.hash),
            created_at_micros: checkpoint.created_at.as_micros(),
            key_id: checkpoint.key_id.clone(),
            signature: data_encoding::HEXLOWER.encode(&checkpoint.signature),
        }
    }
}

impl Published {
    /// Returns whether one of these keys signed exactly this.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        let Ok(signature) = data_encoding::HEXLOWER.decode(self.signature.as_bytes()) else { return false };
        let statement = statement(&self.chain, self.position, &self.hash, self.created_at_micros);
        keys.iter().any(|key| key.id() == self.key_id && key.verifies(statement.as_bytes(), &signature))
    }
}

/// Returns the text that is signed.
#[must_use]
pub fn statement(chain: &str, position: i64, hash: &str, created_at_micros: i64) -> String {
    format!(
        "forge audit checkpoint 1\nchain {chain}\nposition {position}\nhash {hash}\ntime {created_at_micros}\n"
    )
}

/// When a checkpoint is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When enough events came or enough time passed since the last one.
    Due,
    /// Now, if anything was linked since the last one.
    Now,
}

impl Sealer {
    /// Signs the end of the chain if it is time, unless another node does. Returns whether it was.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub async fn checkpoint(&self, when: When) -> Result<bool> {
        let mut conn = self.app.db.read().await?;
        let Some(head) = forge_store::audit::find_head(&mut conn).await? else { return Ok(false) };
        let last = forge_store::audit::find_last_checkpoint(&mut conn).await?;
        drop(conn);
        if self.is_held_by_another(&head) || !self.is_due(when, head.position, last.as_ref()) {
            return Ok(false);
        }
        let now = self.app.now();
        let hash = data_encoding::HEXLOWER.encode(&head.hash);
        let text = statement(&head.chain_id, head.position, &hash, now.as_micros());
        let (key_id, signature) = self.app.keys.sign(text.as_bytes()).map_err(key_fault)?;
        let new = NewCheckpoint {
            chain_id: &head.chain_id,
            position: head.position,
            hash: &head.hash,
            created_at: now,
            key_id: &key_id,
            signature: &signature,
        };
        let mut tx = self.app.db.begin().await?;
        let end = (head.position, head.hash.as_slice());
        if !forge_store::audit::hold_chain(&mut tx, head.position, end, &self.hold()).await? {
            return Ok(false);
        }
        forge_store::audit::insert_checkpoint(&mut tx, &new).await?;
        tx.commit().await?;
        Ok(true)
    }

    fn is_due(&self, when: When, position: i64, last: Option<&Checkpoint>) -> bool {
        let Some(last) = last else { return position > 0 };
        let settings = &self.app.settings.audit;
        let now = self.app.now();
        // A clock that went back would otherwise keep everyone waiting until it has caught up.
        let is_old = now < last.created_at || now.since(last.created_at) >= settings.checkpoint_interval;
        let came = position.saturating_sub(last.position);
        came != 0 && (when == When::Now || is_old || came >= i64::from(settings.checkpoint_events))
    }

    /// Returns the checkpoints that a place outside lacks, oldest first; none while another node sees to it.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub async fn unpublished(&self, sink: &str) -> Result<Vec<(i64, Published)>> {
        let mut conn = self.app.db.read().await?;
        let head = forge_store::audit::find_head(&mut conn).await?;
        if head.is_none_or(|head| self.is_held_by_another(&head)) {
            return Ok(Vec::new());
        }
        let lacking = forge_store::audit::list_unpublished_checkpoints(&mut conn, sink, 100).await?;
        Ok(lacking.iter().map(|checkpoint| (checkpoint.id, Published::from(checkpoint))).collect())
    }

    /// Notes that a place outside has all checkpoints through this one.
    ///
    /// # Errors
    /// `Unavailable` if the database is; then they are published once more.
    pub async fn published(&self, sink: &str, through: i64) -> Result<()> {
        let mut tx = self.app.db.begin().await?;
        forge_store::audit::publish_checkpoints(&mut tx, sink, through).await?;
        Ok(tx.commit().await?)
    }
}

/// Returns the keys that checkpoints are verified with, the current one first.
///
/// # Errors
/// Never for keys that were checked when they were read.
pub fn public_keys(app: &App) -> Result<Vec<PublicKey>> {
    app.keys.public_keys().map_err(key_fault)
}

/// Returns the same keys as a JWK set (RFC 7517).
///
/// # Errors
/// As [`public_keys`].
pub fn key_set(app: &App) -> Result<Value> {
    let keys: Vec<Value> = public_keys(app)?.iter().map(PublicKey::jwk).collect();
    Ok(json!({ "keys": keys }))
}

/// Returns when a published checkpoint was made.
#[must_use]
pub fn time_of(published: &Published) -> Timestamp {
    Timestamp::from_micros(published.created_at_micros)
}
