//! From facts to what the Cedar engine is asked.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};

use super::source::schema;
use super::{ChangedRef, CircumstanceFacts, Facts, ResourceFacts};

type Attributes = Vec<(String, RestrictedExpression)>;
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Each action with all groups it belongs to.
static ACTIONS: LazyLock<HashMap<String, Entity>> = LazyLock::new(|| {
    let entities = schema().action_entities().expect("the schema's actions are entities");
    let with_groups = |uid: EntityUid| {
        let groups: HashSet<EntityUid> = entities.ancestors(&uid).into_iter().flatten().cloned().collect();
        (uid.id().unescaped().to_owned(), Entity::new_no_attrs(uid, groups))
    };
    entities.iter().map(Entity::uid).map(with_groups).collect()
});

/// Builds the question and the entities it is about.
pub(super) fn build(facts: &Facts) -> Result<(Request, Entities), Fault> {
    build_by(facts, None)
}

/// The same, checked against a schema: what is gathered has its types, so only tests ask for that.
pub(super) fn build_by(facts: &Facts, schema: Option<&Schema>) -> Result<(Request, Entities), Fault> {
    let action = ACTIONS.get(&facts.action).ok_or("an action that no policy binds")?;
    let (principal, resource) = (principal(facts)?, resource(&facts.resource)?);
    let context = Context::from_pairs(context(&facts.context)?)?;
    let request = Request::new(principal.uid(), action.uid(), resource.uid(), context, schema)?;
    // One may be both who asks and what is changed.
    let entities = Entities::from_entities([principal, resource, action.clone()], None)?;
    Ok((request, entities))
}

fn uid(kind: &str, id: &impl ToString) -> Result<EntityUid, Fault> {
    let name: EntityTypeName = kind.parse()?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id.to_string())))
}

fn entity(
    uid: EntityUid,
    attributes: Attributes,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, Fault> {
    Ok(Entity::new(uid, attributes.into_iter().collect(), parents.into_iter().collect())?)
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn pair(name: &str, value: RestrictedExpression) -> (String, RestrictedExpression) {
    (name.to_owned(), value)
}

fn record(fields: Attributes) -> Result<RestrictedExpression, Fault> {
    Ok(RestrictedExpression::new_record(fields)?)
}

/// Returns the type that an account of this kind has in policies.
fn account_type(kind: &str) -> &'static str {
    match kind {
        "agent" => "Agent",
        "organization" => "Organization",
        _ => "Human",
    }
}

fn principal(facts: &Facts) -> Result<Entity, Fault> {
    let principal = &facts.principal;
    let mut attributes = vec![
        pair("login", text(&principal.login)),
        pair("is_site_admin", RestrictedExpression::new_bool(principal.is_site_admin)),
    ];
    if let Some(owner) = principal.owner_id.filter(|_| principal.kind == "agent") {
        attributes.push(pair("owner", RestrictedExpression::new_entity_uid(uid("Human", &owner)?)));
    }
    let groups: Result<Vec<EntityUid>, Fault> =
        principal.groups.iter().map(|group| uid("AccessGroup", group)).collect();
    entity(uid(account_type(&principal.kind), &principal.id)?, attributes, groups?)
}

fn resource(facts: &ResourceFacts) -> Result<Entity, Fault> {
    match facts {
        ResourceFacts::Account { id, is_own } => {
            let attributes = vec![pair("is_own", RestrictedExpression::new_bool(*is_own))];
            entity(uid("Account", id)?, attributes, None)
        }
        ResourceFacts::Organization { id } => {
            let attributes = vec![pair("id", RestrictedExpression::new_long(*id))];
            entity(uid("Organization", id)?, attributes, None)
        }
        ResourceFacts::Team { id, organization_id } => {
            let attributes = vec![pair("organization", RestrictedExpression::new_long(*organization_id))];
            entity(uid("Team", id)?, attributes, Some(uid("Organization", organization_id)?))
        }
        // An id belongs to one account, whatever it is.
        ResourceFacts::TaskGrant { id, delegator_id } => {
            let delegators = ["Organization", "Human", "Agent"].map(|kind| uid(kind, delegator_id));
            let parents = delegators.into_iter().collect::<Result<HashSet<_>, _>>()?;
            Ok(Entity::new_no_attrs(uid("TaskGrant", id)?, parents))
        }
        ResourceFacts::Repository { id, owner_id, owner_kind, full_name, visibility, is_archived } => {
            let (owner, name) = full_name.split_once('/').unwrap_or(("", full_name));
            let attributes = vec![
                pair("full_name", text(full_name)),
                pair("name", text(name)),
                pair("owner", text(owner)),
                pair("visibility", text(visibility)),
                pair("is_archived", RestrictedExpression::new_bool(*is_archived)),
            ];
            entity(uid("Repository", id)?, attributes, Some(uid(account_type(owner_kind), owner_id)?))
        }
    }
}

fn context(facts: &CircumstanceFacts) -> Result<Attributes, Fault> {
    let credential = record(vec![
        pair("kind", text(&facts.credential.kind)),
        pair("is_bound", RestrictedExpression::new_bool(facts.credential.is_bound)),
    ])?;
    let approval = record(vec![pair("is_approved", RestrictedExpression::new_bool(facts.is_approved))])?;
    let refused = RestrictedExpression::new_long(i64::from(facts.recent_refusals));
    let mut pairs = vec![
        pair("time", time(facts.unix_seconds)?),
        pair("surface", text(&facts.surface)),
        pair("network", network(facts)?),
        pair("risk", RestrictedExpression::new_long(facts.risk)),
        pair("credential", credential),
        pair("approval", approval),
        pair("recent", record(vec![pair("refused", refused)])?),
    ];
    if let Some(runtime) = &facts.runtime {
        pairs.push(pair("runtime", text(runtime)));
    }
    if let Some((id, task)) = &facts.grant {
        pairs.push(pair("grant", record(vec![pair("id", text(id)), pair("task", text(task))])?));
    }
    if let Some(changed) = &facts.r#ref {
        pairs.push(pair("ref", ref_record(changed)?));
    }
    Ok(pairs)
}

fn time(unix_seconds: i64) -> Result<RestrictedExpression, Fault> {
    let days = unix_seconds.div_euclid(86_400);
    // The epoch was a Thursday.
    let weekday = (days + 3).rem_euclid(7) + 1;
    record(vec![
        pair("unix", RestrictedExpression::new_long(unix_seconds)),
        pair("hour", RestrictedExpression::new_long(unix_seconds.rem_euclid(86_400) / 3600)),
        pair("weekday", RestrictedExpression::new_long(weekday)),
    ])
}

fn network(facts: &CircumstanceFacts) -> Result<RestrictedExpression, Fault> {
    let mut fields = Attributes::new();
    if let Some(source) = facts.source {
        fields.push(pair("source", RestrictedExpression::new_ip(source.to_canonical().to_string())));
    }
    if let Some(destination) = &facts.destination {
        fields.push(pair("destination", text(destination)));
    }
    record(fields)
}

fn ref_record(changed: &ChangedRef) -> Result<RestrictedExpression, Fault> {
    let touched = changed.touched.iter().map(|pattern| text(pattern));
    record(vec![
        pair("name", text(&changed.name)),
        pair("kind", text(&changed.kind)),
        pair("is_default", RestrictedExpression::new_bool(changed.is_default)),
        pair("touched", RestrictedExpression::new_set(touched)),
        pair("is_signed", RestrictedExpression::new_bool(changed.is_signed)),
    ])
}
