//! Narrowing and extending a grant.

use forge_auth::grant::GrantDetails;
use forge_types::account::AccountKind;
use forge_types::grant::{GrantState, GrantTerms, TaskGrant};
use forge_types::id::GrantId;
use forge_types::{Action, Error, FieldCode, Result};
use serde_json::{Map, Value};

use super::create::{end, needs_consent};
use super::{GrantTarget, event, granted, resolve};
use crate::context::RequestContext;
use crate::standing::Standing;

/// What of a grant can be changed.
const CHANGEABLE: [&str; 4] = ["task", "resources", "actions", "constraints"];

/// Changes a grant by a JSON merge patch (RFC 7396) of its granted form: what the patch leaves out stays, `null` takes a
/// bound away. An agent that had agreed is asked again if it is to be able to do more; tokens for the grant follow the new
/// terms at once.
///
/// # Errors
/// `NotFound` unless the caller is part of it, `Forbidden` unless it delegated, `Conflict` if the grant is over, `Invalid`
/// for what is not understood or goes beyond the grant it is part of.
pub async fn change(ctx: &RequestContext, id: &GrantId, patch: Map<String, Value>) -> Result<TaskGrant> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, GrantTarget(id), Action::TaskGrantUpdate).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    forge_store::grants::hold_alone(&mut tx, id).await?;
    let mut grant = ctx.authorize(&mut tx, GrantTarget(id), Action::TaskGrantUpdate).await?.grant;
    if matches!(grant.life.state(ctx.now()), GrantState::Expired | GrantState::Revoked) {
        return Err(Error::conflict("the grant is over"));
    }
    if let Some((_, policy)) = &grant.policy {
        let message = format!("this came by policy `{policy}` and is what that allows; it can be revoked");
        return Err(Error::invalid("TaskGrant", "policy", FieldCode::Invalid, message));
    }
    let renames = patch.contains_key("resources");
    let ends_anew = has_end(&patch);
    let details = patched(ctx, &grant, patch)?;
    let only_of = (grant.delegator.kind == AccountKind::Organization).then_some(grant.delegator.id);
    let resources = if renames {
        resolve::resources(ctx, &mut tx, details.named_resources()?, only_of).await?
    } else {
        grant.terms.resources.clone()
    };
    let (constraints, asked_end) = details.bounds()?;
    let terms = GrantTerms { resources, actions: details.granted_actions()?, constraints };
    for parent in ctx.grants() {
        terms.within(&parent.terms).map_err(|what| {
            let message = format!("this goes beyond grant {}: {what}", parent.id);
            Error::invalid("TaskGrant", "grant", FieldCode::Invalid, message)
        })?;
    }
    let widens = terms.within(&grant.terms).is_err();
    if widens && needs_consent(ctx, &mut tx, &grant.delegator, &grant.agent).await? {
        grant.life.needs_consent = true;
        grant.life.consented_at = None;
    }
    if ends_anew {
        grant.life.expires_at = end(ctx, &mut tx, asked_end).await?;
    }
    grant.task = details.task()?;
    grant.terms = terms;
    forge_store::grants::update(&mut tx, &grant).await?;
    ctx.record(&mut tx, event("task_grant.changed", &grant)).await?;
    tx.commit().await?;
    Ok(grant)
}

fn has_end(patch: &Map<String, Value>) -> bool {
    patch.contains_key("expires_at")
        || patch
            .get("constraints")
            .and_then(Value::as_object)
            .is_some_and(|one| one.contains_key("expires_at"))
}

/// Returns the granted form with the patch applied, read as strictly as a new grant.
fn patched(ctx: &RequestContext, grant: &TaskGrant, patch: Map<String, Value>) -> Result<GrantDetails> {
    let present = granted(ctx, grant);
    let mut merged: Map<String, Value> = CHANGEABLE
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), present.get(*name)?.clone())))
        .collect();
    for (name, value) in patch {
        merge(&mut merged, name, value);
    }
    serde_json::from_value(Value::Object(merged)).map_err(|error| {
        let what = error.to_string();
        Error::unprocessable(format!("Invalid request.\n\n{what}."))
    })
}

fn merge(into: &mut Map<String, Value>, name: String, value: Value) {
    match (into.get_mut(&name), value) {
        (Some(Value::Object(present)), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(present, name, value);
            }
        }
        (_, Value::Null) => {
            into.remove(&name);
        }
        (_, value) => {
            into.insert(name, value);
        }
    }
}
