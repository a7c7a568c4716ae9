//! What a decision point is asked: the facts that policies are told, in the words of the AuthZEN Authorization API.

use forge_auth::policy::cedar::{ChangedRef, CircumstanceFacts, Facts, ResourceFacts};
use forge_types::Timestamp;
use serde_json::{Value, json};

use crate::context::Authority;

/// Returns the question as JSON.
pub(super) fn of(facts: &Facts, authority: Option<&Authority>) -> Value {
    let principal = &facts.principal;
    let subject = json!({
        "type": principal.kind,
        "id": principal.login,
        "properties": {
            "id": principal.id,
            "is_site_admin": principal.is_site_admin,
            "owner_id": principal.owner_id,
            "access_groups": principal.groups,
        },
    });
    json!({
        "subject": subject,
        "action": {"name": facts.action},
        "resource": resource(facts),
        "context": context(&facts.context, authority),
    })
}

fn resource(facts: &Facts) -> Value {
    let (kind, id, properties) = match &facts.resource {
        ResourceFacts::Account { id, is_own } => ("account", id.to_string(), json!({"is_own": is_own})),
        ResourceFacts::Organization { id } => ("organization", id.to_string(), json!({})),
        ResourceFacts::Team { id, organization_id } => {
            ("team", id.to_string(), json!({"organization_id": organization_id}))
        }
        ResourceFacts::TaskGrant { id, delegator_id } => {
            ("task_grant", id.clone(), json!({"delegator_id": delegator_id}))
        }
        ResourceFacts::Repository { id, owner_id, owner_kind, full_name, visibility, is_archived } => {
            let repository = json!({
                "repository": full_name,
                "repository_id": id,
                "owner_id": owner_id,
                "owner_type": owner_kind,
                "visibility": visibility,
                "is_archived": is_archived,
            });
            match &facts.context.r#ref {
                None => ("repository", full_name.clone(), repository),
                Some(changed) => ("ref", changed.name.clone(), with_ref(repository, changed)),
            }
        }
    };
    json!({"type": kind, "id": id, "properties": properties})
}

/// A ref is named as in `POST /access/evaluate`: by its name, in a repository.
fn with_ref(mut properties: Value, changed: &ChangedRef) -> Value {
    properties["kind"] = json!(changed.kind);
    properties["is_default"] = json!(changed.is_default);
    properties["touched"] = json!(changed.touched);
    properties["is_signed"] = json!(changed.is_signed);
    properties
}

fn context(facts: &CircumstanceFacts, authority: Option<&Authority>) -> Value {
    json!({
        "time": Timestamp::from_seconds(facts.unix_seconds),
        "surface": facts.surface,
        "runtime": facts.runtime,
        "network": {"source": facts.source, "destination": facts.destination},
        "risk": facts.risk,
        "credential": {"kind": facts.credential.kind, "is_bound": facts.credential.is_bound},
        "grant": facts.grant.as_ref().map(|(id, task)| json!({"id": id, "task": task})),
        "delegator": authority.map(|authority| &authority.delegator.login),
        "approval": {"is_approved": facts.is_approved},
        "recent": {"refused": facts.recent_refusals},
    })
}
