//! What the hash of an event covers, byte for byte.
//!
//! The content of an event is a JSON object with sorted members, no spaces, no numbers but integers. Version 1 held personal
//! fields as they are and the details as a text; version 2 holds a commitment to the personal fields, the details as
//! they are, and on whose behalf it was done. INVARIANT: what a version covers never changes; something new is a new version.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use forge_store::audit::{AuditEvent, NewAuditEvent};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What is written now.
pub const VERSION: i64 = 2;

/// The fields of an event that its hash covers, whether it is about to be written or was read.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    version: i64,
    created_at: i64,
    event: &'a str,
    decision: &'a str,
    reason: Option<&'a str>,
    actor: (Option<i64>, Option<&'a str>, Option<&'a str>),
    acting: (Option<i64>, Option<&'a str>),
    delegator: (Option<i64>, Option<&'a str>),
    task: Option<&'a str>,
    grant: Option<&'a str>,
    runtime: Option<&'a str>,
    credential: (Option<i64>, Option<&'a str>, Option<&'a str>),
    repository_id: Option<i64>,
    organization_id: Option<i64>,
    subject_id: Option<i64>,
    resource: Option<&'a str>,
    side_effect: Option<&'a str>,
    request_id: &'a str,
    surface: &'a str,
    ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    commitment: Option<&'a [u8]>,
    details: &'a str,
}

impl<'a> From<&'a NewAuditEvent<'_>> for Fields<'a> {
    fn from(new: &'a NewAuditEvent<'_>) -> Self {
        let credential = new.credential.as_ref();
        Self {
            version: new.version,
            created_at: new.created_at.as_micros(),
            event: new.event,
            decision: if new.is_allowed { "allow" } else { "deny" },
            reason: new.reason,
            actor: (
                new.actor.map(|actor| actor.id.0),
                new.actor.map(|actor| actor.login),
                new.actor.map(|actor| actor.kind),
            ),
            acting: (new.acting.map(|actor| actor.id.0), new.acting.map(|actor| actor.login)),
            delegator: (new.delegator.map(|actor| actor.id.0), new.delegator.map(|actor| actor.login)),
            task: new.task,
            grant: new.grant_id,
            runtime: new.runtime,
            credential: (
                credential.and_then(|credential| credential.id).map(|id| id.0),
                credential.map(|credential| credential.kind),
                credential.and_then(|credential| credential.fingerprint),
            ),
            repository_id: new.repository_id.map(|id| id.0),
            organization_id: new.organization_id.map(|id| id.0),
            subject_id: new.subject_id.map(|id| id.0),
            resource: new.resource,
            side_effect: new.side_effect,
            request_id: new.request_id,
            surface: new.surface,
            ip: new.ip,
            user_agent: new.user_agent,
            commitment: new.personal_commitment.as_ref().map(<[u8; 32]>::as_slice),
            details: new.details,
        }
    }
}

impl<'a> From<&'a AuditEvent> for Fields<'a> {
    fn from(event: &'a AuditEvent) -> Self {
        Self {
            version: event.version,
            created_at: event.created_at.as_micros(),
            event: &event.event,
            decision: &event.decision,
            reason: event.reason.as_deref(),
            actor: (event.actor_id.map(|id| id.0), event.actor_login.as_deref(), event.actor_kind.as_deref()),
            acting: (event.acting_id.map(|id| id.0), event.acting_login.as_deref()),
            delegator: (event.delegator_id.map(|id| id.0), event.delegator_login.as_deref()),
            task: event.task.as_deref(),
            grant: event.grant_id.as_deref(),
            runtime: event.runtime.as_deref(),
            credential: (
                event.credential_id.map(|id| id.0),
                event.credential_kind.as_deref(),
                event.token_fingerprint.as_deref(),
            ),
            repository_id: event.repository_id.map(|id| id.0),
            organization_id: event.organization_id.map(|id| id.0),
            subject_id: event.subject_id.map(|id| id.0),
            resource: event.resource.as_deref(),
            side_effect: event.side_effect.as_deref(),
            request_id: &event.request_id,
            surface: &event.surface,
            ip: event.ip.as_deref(),
            user_agent: event.user_agent.as_deref(),
            commitment: event.personal_commitment.as_deref(),
            details: &event.details,
        }
    }
}

impl Fields<'_> {
    /// Returns SHA-256 of the content.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text().as_bytes()).into()
    }

    /// Returns the content.
    #[must_use]
    pub fn text(&self) -> String {
        let mut object = Object(String::with_capacity(1024));
        let is_first = self.version == 1;
        object.number("acting_id", self.acting.0);
        object.word("acting_login", self.acting.1);
        object.number("actor_id", self.actor.0);
        object.word("actor_kind", self.actor.2);
        object.word("actor_login", self.actor.1);
        object.number("created_at", Some(self.created_at));
        object.number("credential_id", self.credential.0);
        object.word("credential_kind", self.credential.1);
        object.word("decision", Some(self.decision));
        if is_first {
            object.word("details", Some(self.details));
        } else {
            object.number("delegator_id", self.delegator.0);
            object.word("delegator_login", self.delegator.1);
            object.raw("details", Some(self.details));
        }
        object.word("event", Some(self.event));
        if is_first {
            object.word("ip", self.ip);
        } else {
            object.word("grant", self.grant);
        }
        object.number("organization_id", self.organization_id);
        if !is_first {
            let commitment = self.commitment.map(|bytes| data_encoding::HEXLOWER.encode(bytes));
            object.word("personal_commitment", commitment.as_deref());
        }
        object.word("reason", self.reason);
        object.number("repository_id", self.repository_id);
        object.word("request_id", Some(self.request_id));
        if !is_first {
            object.word("resource", self.resource);
            object.word("runtime", self.runtime);
            object.raw("side_effect", self.side_effect);
        }
        object.number("subject_id", self.subject_id);
        object.word("surface", Some(self.surface));
        if !is_first {
            object.word("task", self.task);
        }
        object.word("token_fingerprint", self.credential.2);
        if is_first {
            object.word("user_agent", self.user_agent);
        }
        object.number("version", Some(self.version));
        object.close()
    }
}

/// Returns the commitment to personal fields: SHA-256 of the salt and of the object that they make.
#[must_use]
pub fn commitment(
    salt: &[u8],
    ip: Option<&str>,
    user_agent: Option<&str>,
    personal: Option<&str>,
) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(salt);
    digest.update(personal_text(ip, user_agent, personal).as_bytes());
    digest.finalize().into()
}

/// Returns the object that personal fields make, as the commitment covers it.
#[must_use]
pub fn personal_text(ip: Option<&str>, user_agent: Option<&str>, personal: Option<&str>) -> String {
    let mut object = Object(String::with_capacity(128));
    object.word("ip", ip);
    object.raw("other", personal);
    object.word("user_agent", user_agent);
    object.close()
}

/// A JSON object under construction; whoever adds members adds them in order.
struct Object(String);

impl Object {
    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn number(&mut self, name: &str, value: Option<i64>) {
        self.name(name);
        match value {
            // Writing to a string does not fail.
            Some(value) => drop(write!(self.0, "{value}")),
            None => self.0.push_str("null"),
        }
    }

    fn word(&mut self, name: &str, value: Option<&str>) {
        self.name(name);
        match value {
            Some(value) if is_plain(value) => {
                self.0.push('"');
                self.0.push_str(value);
                self.0.push('"');
            }
            Some(value) => self.0.push_str(&Value::from(value).to_string()),
            None => self.0.push_str("null"),
        }
    }

    fn raw(&mut self, name: &str, value: Option<&str>) {
        self.name(name);
        self.0.push_str(value.unwrap_or("null"));
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Returns whether a text stands for itself between quotes.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

/// Returns `value` as JSON with sorted members and no spaces, so that equal content has equal bytes. A number that is no
/// integer, which programs print in many ways, becomes a text.
#[must_use]
pub fn canonical(value: &Value) -> String {
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
        Value::Number(number) if number.is_f64() => Value::from(number.to_string()).to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use forge_types::Timestamp;

    use super::*;

    #[test]
    fn canonical_content_does_not_depend_on_the_order_of_members() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":null,"c":"\u00e9"}],"a":true}"#).expect("JSON");
        let other: Value = serde_json::from_str(r#"{"a":true,"b":[1,{"c":"é","d":null}]}"#).expect("JSON");
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"c":"é","d":null}]}"#);
        assert_eq!(canonical(&serde_json::json!([1.5, 2])), r#"["1.5",2]"#);
    }

    fn event(version: i64) -> NewAuditEvent<'static> {
        NewAuditEvent {
            version,
            created_at: Timestamp::from_micros(7),
            event: "refs.updated",
            is_allowed: true,
            reason: None,
            actor: None,
            acting: None,
            delegator: None,
            task: Some("issue 1"),
            grant_id: Some("tg_1"),
            runtime: None,
            credential: None,
            repository_id: None,
            organization_id: None,
            subject_id: None,
            resource: Some("repo:a/b"),
            side_effect: Some(r#"{"refs":[]}"#),
            request_id: "req_1",
            surface: "git",
            ip: Some("192.0.2.1"),
            user_agent: Some("line\nbreak \"quoted\" \u{1}"),
            personal: None,
            personal_salt: Some([1; 32]),
            personal_commitment: Some([2; 32]),
            details: r#"{"count":1}"#,
            content_hash: [0; 32],
        }
    }

    #[test]
    fn content_is_canonical_in_each_version() {
        for version in [1, 2] {
            let text = Fields::from(&event(version)).text();
            let value: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(canonical(&value), text);
            assert!(!text.contains('\n'));
        }
    }

    #[test]
    fn version_1_is_what_it_always_was() {
        let expected = concat!(
            r#"{"acting_id":null,"acting_login":null,"actor_id":null,"actor_kind":null,"actor_login":null,"#,
            r#""created_at":7,"credential_id":null,"credential_kind":null,"decision":"allow","#,
            r#""details":"{\"count\":1}","event":"refs.updated","ip":"192.0.2.1","organization_id":null,"#,
            r#""reason":null,"repository_id":null,"request_id":"req_1","subject_id":null,"surface":"git","#,
            r#""token_fingerprint":null,"user_agent":"line\nbreak \"quoted\" \u0001","version":1}"#
        );
        assert_eq!(Fields::from(&event(1)).text(), expected);
    }

    #[test]
    fn version_2_holds_no_personal_field() {
        let text = Fields::from(&event(2)).text();
        assert!(!text.contains("192.0.2.1") && !text.contains("quoted"), "{text}");
        let one = commitment(&[1; 32], Some("192.0.2.1"), None, None);
        assert_ne!(one, commitment(&[2; 32], Some("192.0.2.1"), None, None));
        assert_ne!(one, commitment(&[1; 32], Some("192.0.2.2"), None, None));
    }
}
