//! The audit log as lines of JSON, oldest first, for whoever keeps it elsewhere.

use forge_store::audit::AuditFilter;
use forge_types::id::AuditEventId;
use forge_types::{Action, Result};
use serde_json::{Value, json};

use crate::context::RequestContext;
use crate::target::Site;

/// How many entries one call returns.
const BATCH: i64 = 1000;

/// Returns the entries after `after`, as many as one answer holds; none when there are no more.
///
/// # Errors
/// `Forbidden` unless asked by an administrator.
pub async fn export_audit(ctx: &RequestContext, after: AuditEventId) -> Result<Vec<Value>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAuditRead).await?;
    let filter = AuditFilter { after: Some(after), ..AuditFilter::default() };
    let entries = forge_store::audit::list(&mut conn, &filter, BATCH).await?;
    let line = |entry: forge_store::audit::AuditEvent| {
        json!({
            "id": entry.id.0,
            "created_at_micros": entry.created_at.as_micros(),
            "created_at": entry.created_at,
            "event": entry.event,
            "decision": entry.decision,
            "reason": entry.reason,
            "actor_id": entry.actor_id,
            "actor_login": entry.actor_login,
            "actor_kind": entry.actor_kind,
            "acting_id": entry.acting_id,
            "acting_login": entry.acting_login,
            "credential_id": entry.credential_id,
            "credential_kind": entry.credential_kind,
            "token_fingerprint": entry.token_fingerprint,
            "repository_id": entry.repository_id,
            "organization_id": entry.organization_id,
            "subject_id": entry.subject_id,
            "request_id": entry.request_id,
            "surface": entry.surface,
            "ip": entry.ip,
            "user_agent": entry.user_agent,
            "details": serde_json::from_str::<Value>(&entry.details).unwrap_or(Value::String(entry.details)),
            "content_hash": data_encoding::HEXLOWER.encode(&entry.content_hash),
        })
    };
    Ok(entries.into_iter().map(line).collect())
}
