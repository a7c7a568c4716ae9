//! Events for systems that watch many programs: OCSF (<https://schema.ocsf.io>) and CEF.
//!
//! Both carry the ten fields of the native form; what a format has no name for stands where it lets such things stand. They
//! are for watching, not for verifying: for that there is the native form.

use forge_store::audit::AuditEvent;
use serde_json::{Map, Value, json};

/// The version of OCSF that is written.
const OCSF: &str = "1.6.0";
/// API Activity, of the category Application Activity.
const API_ACTIVITY: i64 = 6003;

/// Returns the event as OCSF: an API Activity.
#[must_use]
pub fn ocsf(chain: &str, event: &AuditEvent) -> Value {
    let is_allowed = event.decision == "allow";
    let (activity, activity_name) = activity(&event.event);
    let mut object = json!({
        "class_uid": API_ACTIVITY,
        "class_name": "API Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": API_ACTIVITY * 100 + activity,
        "severity_id": if is_allowed { 1 } else { 2 },
        "severity": if is_allowed { "Informational" } else { "Low" },
        "status_id": if is_allowed { 1 } else { 2 },
        "status": if is_allowed { "Success" } else { "Failure" },
        "time": event.created_at.as_micros().div_euclid(1000),
        "api": { "operation": event.event, "request": { "uid": event.request_id }, "service": { "name": event.surface } },
        "actor": actor(event),
        "src_endpoint": { "ip": event.ip },
        "http_request": { "user_agent": event.user_agent },
        "resources": [{ "name": event.resource, "uid": event.repository_id.map(|id| id.to_string()) }],
        "metadata": {
            "version": OCSF,
            "uid": event.id.to_string(),
            "correlation_uid": event.request_id,
            "sequence": event.position,
            "product": { "name": "forge", "vendor_name": "forge", "version": env!("CARGO_PKG_VERSION") },
        },
        "unmapped": unmapped(chain, event),
    });
    if let Some(reason) = &event.reason {
        object["status_detail"] = Value::from(reason.as_str());
    }
    without_nulls(object)
}

/// Returns the number and name of what kind of activity an event is, by the verb of its name.
fn activity(event: &str) -> (i64, &'static str) {
    let verb = event.rsplit('.').next().unwrap_or(event);
    match verb {
        "created" | "create" | "registered" | "opened" | "added" | "member_added" | "set" | "member_set"
        | "repository_set" | "issued" | "exchanged" | "linked" | "bound" | "switch_opened" => (1, "Create"),
        "shown" | "read" | "begun" => (2, "Read"),
        "updated"
        | "update"
        | "renamed"
        | "transferred"
        | "archived"
        | "unarchived"
        | "visibility_changed"
        | "default_branch_changed"
        | "topics_replaced"
        | "suspended"
        | "restored"
        | "rotated"
        | "administer"
        | "force_update"
        | "transfer"
        | "manage"
        | "manage_members" => (3, "Update"),
        "deleted" | "delete" | "removed" | "member_removed" | "repository_removed" | "revoked" | "closed"
        | "unbound" | "withdrawn" | "expired" | "switch_ended" => (4, "Delete"),
        _ => (99, "Other"),
    }
}

fn actor(event: &AuditEvent) -> Value {
    let kind = match event.actor_kind.as_deref() {
        Some("agent") => (3, "System"),
        Some(_) => (1, "User"),
        None => (0, "Unknown"),
    };
    json!({
        "user": {
            "name": event.actor_login,
            "uid": event.actor_id.map(|id| id.to_string()),
            "type_id": kind.0,
            "type": kind.1,
        },
        "session": {
            "uid": event.token_fingerprint,
            "issuer": event.credential_kind,
            "credential_uid": event.credential_id.map(|id| id.to_string()),
        },
        "invoked_by": event.delegator_login,
    })
}

fn unmapped(chain: &str, event: &AuditEvent) -> Value {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let is_agent = event.actor_kind.as_deref() == Some("agent");
    json!({
        "agent": event.actor_login.as_ref().filter(|_| is_agent),
        "acting": event.acting_login,
        "delegator": event.delegator_login,
        "task": event.task,
        "grant": event.grant_id,
        "runtime": event.runtime,
        "resource": event.resource,
        "action": event.event,
        "decision": event.decision,
        "token_fingerprint": event.token_fingerprint,
        "side_effect": event.side_effect.as_deref().map(parsed),
        "details": parsed(&event.details),
        "chain": chain,
        "hash": event.hash.as_deref().map(|hash| data_encoding::HEXLOWER.encode(hash)),
        "content_hash": data_encoding::HEXLOWER.encode(&event.content_hash),
    })
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(kept.map(|(name, member)| (name, without_nulls(member))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// Returns the event as a line of CEF.
#[must_use]
pub fn cef(chain: &str, event: &AuditEvent) -> String {
    let severity = if event.decision == "allow" { 3 } else { 6 };
    let head = [env!("CARGO_PKG_VERSION"), &event.event, &event.event].map(|text| escaped(text, &['|']));
    let [version, class, name] = head;
    let mut extension = Vec::new();
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            extension.push(format!("{key}={}", escaped(value, &['='])));
        }
    };
    let hash = event.hash.as_deref().map(|hash| data_encoding::HEXLOWER.encode(hash));
    let position = event.position.map(|position| position.to_string());
    let is_agent = event.actor_kind.as_deref() == Some("agent");
    add("rt", Some(&event.created_at.as_micros().div_euclid(1000).to_string()));
    add("externalId", Some(&event.id.to_string()));
    add("act", Some(&event.event));
    add("outcome", Some(&event.decision));
    add("reason", event.reason.as_deref());
    add("suser", event.actor_login.as_deref());
    add("src", event.ip.as_deref());
    add("requestClientApplication", event.user_agent.as_deref());
    add("request", event.resource.as_deref());
    add("forgeAgent", event.actor_login.as_deref().filter(|_| is_agent));
    add("forgeDelegator", event.delegator_login.as_deref());
    add("forgeTask", event.task.as_deref());
    add("forgeGrant", event.grant_id.as_deref());
    add("forgeRuntime", event.runtime.as_deref());
    add("forgeTokenFingerprint", event.token_fingerprint.as_deref());
    add("forgeSideEffect", event.side_effect.as_deref());
    add("forgeDetails", Some(&event.details));
    add("forgeRequestId", Some(&event.request_id));
    add("forgeSurface", Some(&event.surface));
    add("forgeChain", Some(chain));
    add("forgePosition", position.as_deref());
    add("forgeHash", hash.as_deref());
    format!("CEF:0|forge|forge|{version}|{class}|{name}|{severity}|{}", extension.join(" "))
}

/// Returns a text that cannot end its field or its line.
fn escaped(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' => escaped.push_str("\\\\"),
            special_one if special.contains(&special_one) => {
                escaped.push('\\');
                escaped.push(special_one);
            }
            // No line separator of any kind, and no other control character.
            control if control.is_control() || matches!(control, '\u{2028}' | '\u{2029}') => {
                escaped.push(' ');
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_field_of_cef_ends_it() {
        assert_eq!(escaped("a|b=c\\d\ne\rf\u{85}g", &['|']), "a\\|b=c\\\\d\\ne\\rf g");
        assert_eq!(escaped("a|b=c", &['=']), "a|b\\=c");
    }
}
