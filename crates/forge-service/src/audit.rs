//! Writing the audit log: who did what, by what means, in which request, with the hash of exactly that content.

use std::collections::BTreeMap;

use forge_auth::policy::Denial;
use forge_store::Tx;
use forge_store::audit::{AuditActor, AuditCredential, NewAuditEvent};
use forge_types::id::{AccountId, RepositoryId};
use forge_types::{Action, Error, Event, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

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

/// Writes an event that happened.
pub(crate) async fn record(ctx: &RequestContext, tx: &mut Tx, event: Event) -> Result<()> {
    let ids = Ids {
        repository_id: event.repository_id,
        organization_id: event.organization_id,
        subject_id: event.subject_id,
    };
    insert(ctx, tx, event.name, None, ids, Value::Object(event.details)).await
}

/// Writes an attempt that was refused.
pub(crate) async fn record_refusal(ctx: &RequestContext, tx: &mut Tx, refusal: Refusal) -> Result<()> {
    let details = json!({ "rule": refusal.denial.rule });
    insert(ctx, tx, refusal.action.as_str(), Some(&refusal.denial.message), refusal.ids, details).await
}

async fn insert(
    ctx: &RequestContext,
    tx: &mut Tx,
    event: &str,
    refused_because: Option<&str>,
    ids: Ids,
    details: Value,
) -> Result<()> {
    let caller = ctx.caller();
    let info = ctx.info();
    let details = canonical(&details);
    let actor = |account: &'_ forge_types::account::AccountRef| {
        (account.id, account.login.clone(), account.kind.as_str())
    };
    let (principal, acting) = (caller.account.as_ref().map(actor), caller.acting.as_ref().map(actor));
    let mut entry = NewAuditEvent {
        created_at: ctx.now(),
        event,
        is_allowed: refused_because.is_none(),
        reason: refused_because,
        actor: principal.as_ref().map(|(id, login, kind)| AuditActor { id: *id, login, kind }),
        acting: acting.as_ref().map(|(id, login, kind)| AuditActor { id: *id, login, kind }),
        credential: credential(caller),
        repository_id: ids.repository_id,
        organization_id: ids.organization_id,
        subject_id: ids.subject_id,
        request_id: &info.id.0,
        surface: info.surface.as_str(),
        ip: info.ip.as_deref(),
        user_agent: info.user_agent.as_deref(),
        details: &details,
        content_hash: [0; 32],
    };
    entry.content_hash = Sha256::digest(canonical(&content(&entry)).as_bytes()).into();
    forge_store::audit::insert(tx, &entry).await.map_err(Error::from)
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

/// Returns what the hash of an entry covers: everything but the id and the hash itself.
fn content(entry: &NewAuditEvent<'_>) -> Value {
    json!({
        "version": 1,
        "created_at": entry.created_at.as_micros(),
        "event": entry.event,
        "decision": if entry.is_allowed { "allow" } else { "deny" },
        "reason": entry.reason,
        "actor_id": entry.actor.map(|actor| actor.id.0),
        "actor_login": entry.actor.map(|actor| actor.login),
        "actor_kind": entry.actor.map(|actor| actor.kind),
        "acting_id": entry.acting.map(|actor| actor.id.0),
        "acting_login": entry.acting.map(|actor| actor.login),
        "credential_id": entry.credential.and_then(|credential| credential.id).map(|id| id.0),
        "credential_kind": entry.credential.map(|credential| credential.kind),
        "token_fingerprint": entry.credential.and_then(|credential| credential.fingerprint),
        "repository_id": entry.repository_id.map(|id| id.0),
        "organization_id": entry.organization_id.map(|id| id.0),
        "subject_id": entry.subject_id.map(|id| id.0),
        "request_id": entry.request_id,
        "surface": entry.surface,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "details": entry.details,
    })
}

/// Returns `value` as JSON with sorted members and no spaces, so that equal content has equal bytes.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(name, member)| format!("{}:{}", Value::from(name.as_str()), canonical(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_content_does_not_depend_on_the_order_of_members() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":null,"c":"\u00e9"}],"a":true}"#).expect("JSON");
        let other: Value = serde_json::from_str(r#"{"a":true,"b":[1,{"c":"é","d":null}]}"#).expect("JSON");
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"c":"é","d":null}]}"#);
    }
}
