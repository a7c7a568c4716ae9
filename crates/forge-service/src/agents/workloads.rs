//! Bindings of workloads: which programs, by whose word, open sessions of an agent.
//!
//! INVARIANT: a binding is made by the agent's human or an administrator, never by the agent, and goes with the human: the
//! next one begins without what the former believed.

use std::collections::BTreeMap;
use std::time::Duration;

use forge_auth::jose::KeySet;
use forge_store::Tx;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, WorkloadBindingId};
use forge_types::workload::{
    AUTHORITIES, DEFAULT_TTL, IssuerKeys, SHORTEST_TTL, SubjectPattern, WorkloadBinding,
};
use forge_types::{Action, Error, Event, FieldCode, Result};
use serde_json::Value;
use url::{Host, Url};

use super::target::{AgentTarget, held};
use crate::context::RequestContext;

/// The most bindings of one agent.
const MOST: usize = 20;
const MOST_CLAIMS: usize = 16;
const LONGEST: usize = 255;
const LARGEST_KEYS: usize = 16 * 1024;
/// Claims that a binding has members of its own for, or that differ from token to token.
const RESERVED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What a binding is to be.
#[derive(Clone, Debug)]
pub struct NewBinding {
    /// Who vouches for the workloads.
    pub issuer: String,
    /// For whom their tokens are; `None` means for this forge.
    pub audience: Option<String>,
    /// Which workloads.
    pub subject: String,
    /// Claims that their tokens have beside.
    pub claims: BTreeMap<String, Value>,
    /// How many seconds a session lasts.
    pub max_ttl: Option<u64>,
    /// The keys of the issuer.
    pub jwks: Option<Value>,
    /// Where they are published, if the issuer does not say so itself.
    pub jwks_uri: Option<String>,
}

/// Returns the bindings of an agent, oldest first.
///
/// # Errors
/// `NotFound` unless the caller is the agent, its human, or administers the forge.
pub async fn list_workloads(ctx: &RequestContext, login: &str) -> Result<Vec<WorkloadBinding>> {
    let mut conn = ctx.read().await?;
    let agent = ctx.authorize(&mut conn, AgentTarget(login), Action::AgentRead).await?;
    Ok(forge_store::workload_bindings::list(&mut conn, agent.account.id).await?)
}

/// Lets workloads open sessions of an agent.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller is the agent's human or administers the forge; `Invalid` if the binding is
/// none, or the agent has twenty.
pub async fn bind_workload(ctx: &RequestContext, login: &str, new: NewBinding) -> Result<WorkloadBinding> {
    let id = WorkloadBindingId(ctx.app().random_id(WorkloadBindingId::PREFIX));
    if let Some(host) = asked_host(&new) {
        ctx.will_speak_to(host);
    }
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentRuntimeManage).await?;
    let account = agent.account.id;
    let binding = checked(ctx, id, account, new)?;
    if forge_store::workload_bindings::list(&mut tx, account).await?.len() >= MOST {
        let message = "the agent has twenty workload bindings; remove one first";
        return Err(Error::invalid("WorkloadBinding", "issuer", FieldCode::Custom, message));
    }
    forge_store::workload_bindings::insert(&mut tx, &binding, ctx.account_id()).await?;
    let event = about("agent.workload_bound", account, &binding.id)
        .with("issuer", binding.issuer.as_str())
        .with("audience", binding.audience.clone())
        .with("workload_subject", binding.subject.as_str())
        .with("claims", Value::from_iter(binding.claims.clone()))
        .with("max_ttl", binding.max_ttl.as_secs())
        .with(
            "keys",
            match &binding.keys {
                IssuerKeys::Inline(_) => "inline",
                IssuerKeys::Address(address) => address.as_str(),
                IssuerKeys::Discovered => "discovered",
            },
        );
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(binding)
}

/// Removes a binding, and ends what it has opened.
///
/// # Errors
/// `NotFound` or `Forbidden` unless the caller is the agent's human or administers the forge, and if there is none.
pub async fn unbind_workload(ctx: &RequestContext, login: &str, id: &WorkloadBindingId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let (agent, _standing) = held(ctx, &mut tx, login, Action::AgentRuntimeManage).await?;
    let account = agent.account.id;
    if !forge_store::workload_bindings::delete(&mut tx, account, id).await? {
        return Err(Error::not_found());
    }
    let reason = "the workload binding was removed";
    let revoked = forge_store::credentials::revoke_family(&mut tx, &id.0, reason, ctx.now()).await?;
    ctx.record(&mut tx, about("agent.workload_unbound", account, id).with("revoked", revoked)).await?;
    Ok(tx.commit().await?)
}

/// Removes all bindings of an agent that is held, with what they have opened.
pub(super) async fn unbind_all(
    ctx: &RequestContext,
    tx: &mut Tx,
    agent: AccountId,
    reason: &str,
) -> Result<()> {
    for binding in forge_store::workload_bindings::list(tx, agent).await? {
        forge_store::workload_bindings::delete(tx, agent, &binding.id).await?;
        let revoked = forge_store::credentials::revoke_family(tx, &binding.id.0, reason, ctx.now()).await?;
        ctx.record(tx, about("agent.workload_unbound", agent, &binding.id).with("revoked", revoked)).await?;
    }
    Ok(())
}

/// Returns the host that is asked for the keys of the issuer.
fn asked_host(new: &NewBinding) -> Option<String> {
    let place = match (&new.jwks, &new.jwks_uri) {
        (Some(_), _) => return None,
        (None, Some(place)) => place,
        (None, None) => &new.issuer,
    };
    address(place)?.host_str().map(str::to_owned)
}

fn about(name: &'static str, agent: AccountId, id: &WorkloadBindingId) -> Event {
    Event::new(name).subject(agent).with("binding_id", id.0.as_str())
}

fn checked(
    ctx: &RequestContext,
    id: WorkloadBindingId,
    agent_id: AccountId,
    new: NewBinding,
) -> Result<WorkloadBinding> {
    let subject = SubjectPattern::parse(&new.subject).map_err(|bad| invalid("subject", bad.0))?;
    check_issuer(&new.issuer, &subject)?;
    if new.issuer == AUTHORITIES && (new.jwks.is_some() || new.jwks_uri.is_some()) {
        return Err(invalid("jwks", "the authorities of client certificates have no keys of tokens"));
    }
    if new.audience.as_ref().is_some_and(|audience| audience.is_empty() || audience.len() > LONGEST) {
        return Err(invalid("audience", "audience must have 1 to 255 bytes"));
    }
    check_claims(&new.claims)?;
    let longest = CredentialKind::Session.max_lifetime().unwrap_or(DEFAULT_TTL);
    let max_ttl = new.max_ttl.map_or(DEFAULT_TTL, Duration::from_secs);
    if max_ttl < SHORTEST_TTL || max_ttl > longest {
        let message = format!("max_ttl is {} to {} seconds", SHORTEST_TTL.as_secs(), longest.as_secs());
        return Err(invalid("max_ttl", message));
    }
    Ok(WorkloadBinding {
        id,
        agent_id,
        issuer: new.issuer,
        audience: new.audience,
        subject,
        claims: new.claims,
        max_ttl,
        keys: keys(new.jwks, new.jwks_uri)?,
        created_at: ctx.now(),
        last_used_at: None,
    })
}

/// An issuer is an address of its own, or a trust domain of SPIFFE, which vouches for its own ids alone.
fn check_issuer(issuer: &str, subject: &SubjectPattern) -> Result<()> {
    let refuse = |message: &str| Err(invalid("issuer", message));
    if issuer.len() > LONGEST {
        return refuse("issuer must have at most 255 bytes");
    }
    if issuer == AUTHORITIES {
        let is_name =
            subject.as_str().strip_prefix("dns:").is_some_and(|name| !name.is_empty() && !name.contains('*'));
        let message = "the authorities of client certificates vouch for `dns:` and a name";
        return if is_name { Ok(()) } else { Err(invalid("subject", message)) };
    }
    let Some(domain) = issuer.strip_prefix("spiffe://") else {
        let is_good = address(issuer).is_some_and(|url| url.query().is_none());
        return if is_good {
            Ok(())
        } else {
            refuse("issuer must be an https address, `spiffe://` and a trust domain, or `x509`")
        };
    };
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if domain.is_empty() || !domain.chars().all(is_name) {
        return refuse("a trust domain has lower-case letters, digits, `.`, `-` and `_`");
    }
    let is_own =
        subject.as_str().strip_prefix(issuer).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1);
    if is_own {
        Ok(())
    } else {
        Err(invalid("subject", "a trust domain vouches for its own SPIFFE ids alone"))
    }
}

fn check_claims(claims: &BTreeMap<String, Value>) -> Result<()> {
    let refuse = |message: String| Err(invalid("claims", message));
    if claims.len() > MOST_CLAIMS {
        return refuse(format!("a binding has at most {MOST_CLAIMS} claims"));
    }
    for (name, value) in claims {
        let is_short =
            (1..=LONGEST).contains(&name.len()) && value.as_str().is_none_or(|text| text.len() <= LONGEST);
        if !is_short || !(value.is_string() || value.is_boolean() || value.is_i64()) {
            return refuse(format!("the value of `{name}` must be a short text, a whole number or a flag"));
        }
        if RESERVED.contains(&name.as_str()) {
            return refuse(format!("`{name}` is not a claim that a binding can name here"));
        }
    }
    // GitLab writes the short name, and a tag can have that of a branch.
    let names_short_ref =
        claims.get("ref").and_then(Value::as_str).is_some_and(|name| !name.starts_with("refs/"));
    if names_short_ref && !claims.contains_key("ref_type") {
        return refuse(
            "`ref` says which branch only together with `ref_type`: a tag may have its name".to_owned(),
        );
    }
    Ok(())
}

fn keys(jwks: Option<Value>, jwks_uri: Option<String>) -> Result<IssuerKeys> {
    match (jwks, jwks_uri) {
        (Some(_), Some(_)) => Err(invalid("jwks", "either jwks or jwks_uri, not both")),
        (Some(set), None) => {
            KeySet::from_json(&set).map_err(|malformed| invalid("jwks", malformed.0))?;
            let text = set.to_string();
            if text.len() > LARGEST_KEYS {
                return Err(invalid("jwks", "jwks must have at most 16 KB"));
            }
            Ok(IssuerKeys::Inline(text))
        }
        (None, Some(text)) if text.len() <= LONGEST && address(&text).is_some() => {
            Ok(IssuerKeys::Address(text))
        }
        (None, Some(_)) => Err(invalid("jwks_uri", "jwks_uri must be an https address of at most 255 bytes")),
        (None, None) => Ok(IssuerKeys::Discovered),
    }
}

/// Reads an address at which something may be asked for: over TLS, or on this very machine. Whether this forge asks there
/// is its operator's matter.
fn address(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let is_local = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    (is_plain && is_safe).then_some(url)
}

fn invalid(field: &'static str, message: impl Into<String>) -> Error {
    Error::invalid("WorkloadBinding", field, FieldCode::Invalid, message)
}
