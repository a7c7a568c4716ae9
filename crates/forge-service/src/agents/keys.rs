//! Keys of agents: adding, listing and withdrawing them.
//!
//! INVARIANT: a key comes in only with a proof that whoever brings it holds it, in the certificate of a connection, or from the operator's own console. Of each
//! purpose one key stands and one more may retire; adding one lets the former retire, so that there is no gap.

use forge_auth::jose::Jwk;
use forge_store::Tx;
use forge_types::agent_key::{AgentKey, KEY_RETIREMENT, KeyPurpose};
use forge_types::id::{AccountId, AgentKeyId};
use forge_types::{Action, Error, Event, FieldCode, Result};
use serde_json::Value;

use super::target::{AgentTarget, held};
use crate::context::RequestContext;
use crate::proof::{self, Shown};

/// The most keys of one purpose that are good at a time.
const MOST: usize = 2;

/// A key that somebody brings.
#[derive(Clone, Debug)]
pub struct NewKey {
    jwk: Jwk,
    given: Option<String>,
}

impl NewKey {
    /// Reads a key. The proof may stand beside it, where the header `DPoP` proves another one.
    ///
    /// # Errors
    /// `Invalid` unless it is a public key of P-256 or Ed25519.
    pub fn read(jwk: &Value, given: Option<String>) -> Result<Self> {
        let refuse = |why: forge_auth::jose::Malformed| {
            Error::invalid("AgentKey", "jwk", FieldCode::Invalid, why.to_string())
        };
        Ok(Self { jwk: Jwk::from_json(jwk).map_err(refuse)?, given })
    }

    /// Checks that whoever brings the key holds it.
    ///
    /// # Errors
    /// `Unproved` if they do not.
    pub(super) async fn check(&self, ctx: &RequestContext, shown: &Shown) -> Result<()> {
        if ctx.is_operator() {
            return Ok(());
        }
        // The handshake has proved the key that is in the certificate of this connection.
        let of_connection = ctx.info().certificate.as_ref().and_then(|certificate| certificate.key.as_ref());
        if of_connection == Some(&self.jwk.thumbprint()) && self.given.is_none() && shown.proofs.is_empty() {
            return Ok(());
        }
        proof::of_new_key(ctx, &self.jwk, shown, self.given.as_deref()).await
    }

    /// Adds the key to an agent that is held.
    ///
    /// # Errors
    /// `Invalid` if the key is known already or the agent has two that are good.
    pub(super) async fn insert(
        &self,
        ctx: &RequestContext,
        tx: &mut Tx,
        agent: AccountId,
        purpose: KeyPurpose,
    ) -> Result<AgentKey> {
        let now = ctx.now();
        let key = AgentKey {
            id: AgentKeyId(ctx.app().random_id(AgentKeyId::PREFIX)),
            agent_id: agent,
            purpose,
            algorithm: self.jwk.algorithm().to_owned(),
            public_key: self.jwk.to_json().to_string(),
            thumbprint: self.jwk.thumbprint().to_string(),
            created_at: now,
            retires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        if forge_store::agents::keys::is_known(tx, &key.thumbprint).await? {
            let message = "this key is or was an agent's already";
            return Err(Error::invalid("AgentKey", "jwk", FieldCode::AlreadyExists, message));
        }
        let live = forge_store::agents::keys::list_live(tx, agent, now).await?;
        if live.iter().filter(|live| live.purpose == purpose).count() >= MOST {
            let message = "the agent has two keys that are good; withdraw one first";
            return Err(Error::invalid("AgentKey", "jwk", FieldCode::Custom, message));
        }
        forge_store::agents::keys::retire(tx, agent, purpose, now.plus(KEY_RETIREMENT)).await?;
        forge_store::agents::keys::insert(tx, &key, ctx.account_id()).await?;
        let event = Event::new("agent.key_added")
            .subject(agent)
            .with("key_id", key.id.0.as_str())
            .with("purpose", purpose.as_str())
            .with("thumbprint", key.thumbprint.as_str());
        ctx.record(tx, event).await?;
        Ok(key)
    }
}

/// Returns the keys of an agent that are good, newest first.
///
/// # Errors
/// `NotFound` unless the caller is the agent, its human, or administers the forge.
pub async fn list_keys(ctx: &RequestContext, login: &str) -> Result<Vec<AgentKey>> {
    let mut conn = ctx.read().await?;
    let agent = ctx.authorize(&mut conn, AgentTarget(login), Action::AgentRead).await?;
    Ok(forge_store::agents::keys::list_live(&mut conn, agent.account.id, ctx.now()).await?)
}

/// Adds a key to an agent; the one it replaces is good for another day.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller is the agent or its human; `Unproved` if the key is not proved; `Invalid` if
/// it is known already or the agent has two.
pub async fn add_key(
    ctx: &RequestContext,
    login: &str,
    key: &NewKey,
    purpose: KeyPurpose,
    shown: &Shown,
) -> Result<AgentKey> {
    // The proof is looked at before a transaction begins, and after it is clear that the caller may do this at all.
    ctx.authorize(&mut ctx.read().await?, AgentTarget(login), Action::AgentKeyManage).await?;
    key.check(ctx, shown).await?;
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentKeyManage).await?;
    let added = key.insert(ctx, &mut tx, agent.account.id, purpose).await?;
    tx.commit().await?;
    Ok(added)
}

/// Withdraws a key, and ends what was obtained with it or is bound to it.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller is the agent or its human, and if there is no such key.
pub async fn withdraw_key(ctx: &RequestContext, login: &str, id: &AgentKeyId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentKeyManage).await?;
    let (account, now) = (agent.account.id, ctx.now());
    let found = forge_store::agents::keys::find(&mut tx, account, id).await?.ok_or_else(Error::not_found)?;
    if !forge_store::agents::keys::revoke(&mut tx, account, id, now).await? {
        return Ok(());
    }
    let reason = "the key was withdrawn";
    let obtained = forge_store::credentials::revoke_family(&mut tx, &id.0, reason, now).await?;
    let bound =
        forge_store::credentials::revoke_bound(&mut tx, account, &found.thumbprint, reason, now).await?;
    let event = Event::new("agent.key_withdrawn")
        .subject(account)
        .with("key_id", id.0.as_str())
        .with("thumbprint", found.thumbprint.as_str())
        .with("revoked", obtained + bound);
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}
