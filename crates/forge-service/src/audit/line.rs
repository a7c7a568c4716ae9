//! An event as a line of an export: everything it takes to verify it without the database.
//!
//! `{"chain":…,"position":…,"hash":…,"content_hash":…,"id":…,"content":{…},"personal":{…}}`. `content` stands there as its hash
//! covers it, byte for byte; an event that is not sealed yet has neither position nor hash.

use forge_store::audit::AuditEvent;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::content::{self, Fields, canonical};
use super::verify::{Examined, Link};

/// Returns the line of an event, without its end.
#[must_use]
pub fn write(chain: &str, event: &AuditEvent) -> String {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let position = event.position.map_or("null".to_owned(), |position| position.to_string());
    let hash = event.hash.as_deref().map_or("null".to_owned(), |hash| format!("\"{}\"", hex(hash)));
    let (content_hash, id) = (hex(&event.content_hash), event.id);
    let (content, personal) = (Fields::from(event).text(), personal(event));
    format!(
        "{{\"chain\":{},\"position\":{position},\"hash\":{hash},\"content_hash\":\"{content_hash}\",\"id\":{id},\
         \"content\":{content},\"personal\":{personal}}}",
        Value::from(chain)
    )
}

fn personal(event: &AuditEvent) -> String {
    let Some(salt) = &event.personal_salt else { return "null".to_owned() };
    let (ip, user_agent) = (event.ip.as_deref(), event.user_agent.as_deref());
    let text = content::personal_text(ip, user_agent, event.personal.as_deref());
    format!("{{\"salt\":\"{}\",\"fields\":{text}}}", data_encoding::HEXLOWER.encode(salt))
}

/// A line as it is read.
#[derive(Deserialize)]
struct Line<'l> {
    chain: String,
    position: Option<i64>,
    hash: Option<String>,
    content_hash: String,
    id: i64,
    #[serde(borrow)]
    content: &'l RawValue,
    #[serde(borrow)]
    personal: Option<Personal<'l>>,
}

#[derive(Deserialize)]
struct Personal<'l> {
    salt: String,
    #[serde(borrow)]
    fields: &'l RawValue,
}

#[derive(Deserialize)]
struct Committed {
    personal_commitment: Option<String>,
}

/// What a line says.
#[derive(Debug)]
pub struct Read {
    /// The chain it names.
    pub chain: String,
    /// The event in its place, or without one.
    pub event: Result<Link, Examined>,
}

/// Reads a line and looks at the event in it.
///
/// # Errors
/// What is wrong with a line that says nothing.
pub fn read(line: &str) -> Result<Read, String> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let event = examine(&line);
    let event = match (line.position, line.hash) {
        (Some(position), Some(hash)) => {
            let hash = data_encoding::HEXLOWER.decode(hash.as_bytes());
            Ok(Link { position, hash: hash.map_err(|_| "its hash is no hash".to_owned())?, event })
        }
        (None, None) => Err(event),
        _ => return Err("it has a position or a hash, not both".to_owned()),
    };
    Ok(Read { chain: line.chain, event })
}

fn examine(line: &Line<'_>) -> Examined {
    let claimed = data_encoding::HEXLOWER.decode(line.content_hash.as_bytes()).unwrap_or_default();
    let mut content_hash = digest(line.content.get());
    if content_hash.as_slice() != claimed {
        // A program in between may have written the same content with other spaces or another order.
        content_hash = digest(&rewritten(line.content.get()));
    }
    let committed: Committed =
        serde_json::from_str(line.content.get()).unwrap_or(Committed { personal_commitment: None });
    let problem = if content_hash.as_slice() != claimed {
        Some("was changed: its content does not have its hash".to_owned())
    } else {
        line.personal.as_ref().and_then(|personal| broken(personal, committed.personal_commitment.as_deref()))
    };
    let is_erased = line.personal.is_none() && committed.personal_commitment.is_some();
    Examined { id: line.id, content_hash, problem, is_erased }
}

fn broken(personal: &Personal<'_>, commitment: Option<&str>) -> Option<String> {
    let salt = data_encoding::HEXLOWER.decode(personal.salt.as_bytes()).unwrap_or_default();
    let holds = |fields: &str| {
        let made = Sha256::new().chain_update(&salt).chain_update(fields).finalize();
        commitment.is_some_and(|wanted| wanted == data_encoding::HEXLOWER.encode(&made))
    };
    let is_whole = holds(personal.fields.get()) || holds(&rewritten(personal.fields.get()));
    (!is_whole).then(changed_fields)
}

pub(super) fn changed_fields() -> String {
    "was changed: its personal fields are not those it was committed to".to_owned()
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn rewritten(text: &str) -> String {
    serde_json::from_str::<Value>(text).map(|value| canonical(&value)).unwrap_or_default()
}

/// Looks at an event of the database.
#[must_use]
pub fn examined(event: &AuditEvent) -> Examined {
    let content_hash = Fields::from(event).hash();
    let mut problem = None;
    if content_hash.as_slice() != event.content_hash {
        problem = Some("was changed: its content does not have its hash".to_owned());
    } else if let Some(salt) = &event.personal_salt {
        let (ip, user_agent) = (event.ip.as_deref(), event.user_agent.as_deref());
        let made = content::commitment(salt, ip, user_agent, event.personal.as_deref());
        if event.personal_commitment.as_deref() != Some(&made[..]) {
            problem = Some(changed_fields());
        }
    } else if event.version > 1
        && (event.ip.is_some() || event.user_agent.is_some() || event.personal.is_some())
    {
        problem = Some(changed_fields());
    }
    let is_erased = event.personal_salt.is_none() && event.personal_commitment.is_some();
    Examined { id: event.id.0, content_hash, problem, is_erased }
}
