//! Writing the audit log: who did what, by what means, on whose behalf, in which request, with the hash of exactly that.

use forge_auth::policy::Denial;
use forge_store::Tx;
use forge_store::audit::{AuditActor, AuditCredential, NewAuditEvent};
use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::{Action, Error, Event, Result};
use serde_json::{Map, Value, json};

use super::authority::authority;
use super::content::{self, Fields, canonical};
use super::resource::About;
use crate::context::{Caller, RequestContext};

/// What a target is called in the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ids {
    /// The repository it is or belongs to.
    pub repository_id: Option<RepositoryId>,
    /// The organization it is or belongs to.
    pub organization_id: Option<AccountId>,
    /// The account it is, when that is not the caller.
    pub subject_id: Option<AccountId>,
}

/// A refused mutation, waiting to be written.
pub(crate) struct Refusal {
    pub(crate) action: Action,
    pub(crate) denial: Denial,
    pub(crate) ids: Ids,
}

/// What is written, apart from who did it.
struct Entry<'a> {
    name: &'a str,
    refused_because: Option<&'a str>,
    about: About,
    side_effect: Option<Value>,
    details: Value,
    personal: Map<String, Value>,
}

/// Writes an event that happened.
pub(crate) async fn record(ctx: &RequestContext, tx: &mut Tx, event: Event) -> Result<()> {
    let about = About::of_event(tx, &event).await?;
    let side_effect = event.side_effect.or_else(|| Some(about.side_effect(&about.resource(ctx.caller()))));
    let entry = Entry {
        name: event.name,
        refused_because: None,
        about,
        side_effect,
        details: Value::Object(event.details),
        personal: event.personal,
    };
    insert(ctx, tx, entry).await
}

/// Writes what was refused for another reason than a right, with its particulars. Nothing came of it.
pub(crate) async fn record_refused(
    ctx: &RequestContext,
    tx: &mut Tx,
    event: Event,
    reason: &str,
) -> Result<()> {
    let entry = Entry {
        name: event.name,
        refused_because: Some(reason),
        about: About::of_event(tx, &event).await?,
        side_effect: None,
        details: Value::Object(event.details),
        personal: event.personal,
    };
    insert(ctx, tx, entry).await
}

/// Writes an attempt that was refused. Nothing came of it.
pub(crate) async fn record_refusal(ctx: &RequestContext, tx: &mut Tx, refusal: Refusal) -> Result<()> {
    let entry = Entry {
        name: refusal.action.as_str(),
        refused_because: Some(&refusal.denial.message),
        about: About::of_ids(tx, refusal.ids).await?,
        side_effect: None,
        details: json!({ "rule": refusal.denial.rule }),
        personal: Map::new(),
    };
    insert(ctx, tx, entry).await
}

async fn insert(ctx: &RequestContext, tx: &mut Tx, entry: Entry<'_>) -> Result<()> {
    let (caller, info) = (ctx.caller(), ctx.info());
    let authority = authority(caller).unwrap_or_default();
    let (details, side_effect) = (canonical(&entry.details), entry.side_effect.as_ref().map(canonical));
    let resource = entry.about.resource(caller);
    let personal = (!entry.personal.is_empty()).then(|| canonical(&Value::Object(entry.personal)));
    let ids = entry.about.ids;
    let mut new = NewAuditEvent {
        version: content::VERSION,
        created_at: ctx.now(),
        event: entry.name,
        is_allowed: entry.refused_because.is_none(),
        reason: entry.refused_because,
        actor: caller.account.as_ref().map(actor),
        acting: caller.acting.as_ref().map(actor),
        delegator: authority.delegator.as_ref().map(actor),
        task: authority.task.as_deref(),
        grant_id: authority.grant.as_deref(),
        runtime: authority.runtime.as_deref(),
        credential: credential(caller),
        repository_id: ids.repository_id,
        organization_id: ids.organization_id,
        subject_id: ids.subject_id,
        resource: Some(&resource),
        side_effect: side_effect.as_deref(),
        request_id: &info.id.0,
        surface: info.surface.as_str(),
        ip: info.ip.as_deref(),
        user_agent: info.user_agent.as_deref(),
        personal: personal.as_deref(),
        personal_salt: None,
        personal_commitment: None,
        details: &details,
        content_hash: [0; 32],
    };
    if new.ip.is_some() || new.user_agent.is_some() || new.personal.is_some() {
        let mut salt = [0; 32];
        ctx.app().random.fill(&mut salt);
        new.personal_commitment = Some(content::commitment(&salt, new.ip, new.user_agent, new.personal));
        new.personal_salt = Some(salt);
    }
    new.content_hash = Fields::from(&new).hash();
    forge_store::audit::insert(tx, &new).await.map_err(Error::from)
}

fn actor(account: &AccountRef) -> AuditActor<'_> {
    AuditActor { id: account.id, login: &account.login, kind: account.kind.as_str() }
}

/// Returns by what means the caller proved who it is.
fn credential(caller: &Caller) -> Option<AuditCredential<'_>> {
    let browser = caller.session.map(|_| AuditCredential { id: None, kind: "browser", fingerprint: None });
    let token = caller.credential.as_ref().map(|credential| AuditCredential {
        id: Some(credential.id),
        kind: credential.kind.as_str(),
        fingerprint: Some(&credential.fingerprint),
    });
    token.or(browser)
}
