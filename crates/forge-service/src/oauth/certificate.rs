//! An agent obtains a session with the certificate of its connection (RFC 8705 §2): the client credentials grant, where
//! the handshake has said who it is. Either a key of its own is in it, whoever issued it, or one of the trusted authorities
//! calls it by a name that a binding of its means.

use std::time::Duration;

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{ClientAuthentication, OAuthError, TokenAnswer};
use forge_auth::workload::trust_domain;
use forge_store::Tx;
use forge_types::account::{AccountKind, AccountRef};
use forge_types::agent_key::KeyPurpose;
use forge_types::credential::CredentialKind;
use forge_types::id::AccountId;
use forge_types::workload::{AUTHORITIES, WorkloadBinding};
use forge_types::{Error, Event, Scopes};

use super::answer;
use super::failure::Fault;
use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};
use crate::proof::certificate::{CertificateNames, ClientCertificate};
use crate::standing::Standing;

/// How long a session lasts that a key has opened; a binding says so itself.
const SESSION: Duration = Duration::from_secs(3600);

/// What a certificate is believed by.
struct Believed {
    family: String,
    lifetime: Duration,
    /// The issuer and the subject, where an authority vouches for them.
    runtime: Option<String>,
    event: Event,
}

/// Gives a session to the agent that the certificate is of, bound to it, and to the key of a proof if one comes with it.
pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    certificate: &ClientCertificate,
    scopes: Option<&Scopes>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let login = said.client_id.as_deref().ok_or_else(OAuthError::invalid_client)?;
    let mut tx = ctx.begin().await?;
    let account = forge_store::accounts::find_by_login(&mut tx, login).await?;
    let account = account.filter(|account| account.kind == AccountKind::Agent);
    let account = account.ok_or_else(OAuthError::invalid_client)?;
    // The account is held, so that what is believed here is until the commit.
    let standing = Standing::of_account(&mut tx, account.id).await?.ok_or_else(OAuthError::invalid_client)?;
    let believed = match by_key(ctx, &mut tx, account.id, certificate).await? {
        Some(believed) => believed,
        None => {
            let by_name = by_name(ctx, &mut tx, account.id, &certificate.names).await?;
            by_name.ok_or_else(OAuthError::invalid_client)?
        }
    };
    let account_ref = AccountRef::from(&account);
    let ctx = match believed.runtime {
        Some(runtime) => ctx.speaking_in(account_ref, runtime),
        None => ctx.speaking_for(account_ref),
    };
    let kind = CredentialKind::Session;
    let longest = kind.max_lifetime().unwrap_or(believed.lifetime);
    let new = NewToken {
        scopes: scopes.cloned(),
        family: Some(&believed.family),
        cnf_jkt: key.map(Thumbprint::to_string),
        expires_at: Some(ctx.now().plus(believed.lifetime.min(longest))),
        ..NewToken::new(account.id, kind, "session")
    };
    let session = issue(&ctx, &mut tx, &standing, new).await?;
    ctx.record(&mut tx, believed.event.with("certificate", certificate.thumbprint.as_str())).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(answer(ctx.now(), session, None))
}

/// Whoever holds the key of a certificate holds a key of the agent's, whatever else the certificate says.
async fn by_key(
    ctx: &RequestContext,
    tx: &mut Tx,
    agent: AccountId,
    certificate: &ClientCertificate,
) -> Result<Option<Believed>, Fault> {
    let Some(key) = &certificate.key else { return Ok(None) };
    let live = forge_store::agents::keys::list_live(tx, agent, ctx.now()).await?;
    let is_it = |purpose, thumbprint: &str| purpose == KeyPurpose::Mtls && thumbprint == key.as_str();
    let found = live.into_iter().find(|live| is_it(live.purpose, &live.thumbprint));
    let Some(found) = found else { return Ok(None) };
    forge_store::agents::keys::touch(tx, &found.id, ctx.now()).await?;
    let event = Event::new("agent.key_exchanged").with("key_id", found.id.0.as_str());
    Ok(Some(Believed { family: found.id.0, lifetime: SESSION, runtime: None, event }))
}

/// The first binding counts that means one of the names. A certificate has no claims, so one that demands any means none.
async fn by_name(
    ctx: &RequestContext,
    tx: &mut Tx,
    agent: AccountId,
    names: &CertificateNames,
) -> Result<Option<Believed>, Fault> {
    let bindings = forge_store::workload_bindings::list(tx, agent).await?;
    let found = bindings.iter().filter(|binding| binding.claims.is_empty());
    let found = found.filter_map(|binding| Some((binding, meant(binding, names)?))).next();
    let Some((binding, subject)) = found else { return Ok(None) };
    forge_store::workload_bindings::touch(tx, agent, &binding.id, ctx.now()).await?;
    Ok(Some(Believed {
        family: binding.id.0.clone(),
        lifetime: binding.max_ttl,
        runtime: Some(format!("{} {subject}", binding.issuer)),
        event: Event::new("agent.workload_exchanged").with("binding_id", binding.id.0.as_str()),
    }))
}

/// Returns the name that a binding means: a SPIFFE id of its trust domain, or a name that an authority gave.
fn meant(binding: &WorkloadBinding, names: &CertificateNames) -> Option<String> {
    if binding.issuer == AUTHORITIES {
        let named = names.dns.iter().map(|name| format!("dns:{name}"));
        return named.into_iter().find(|name| binding.subject.matches(name));
    }
    let id = names.spiffe_id.as_ref()?;
    let is_of_domain = trust_domain(id).is_some_and(|domain| domain == binding.issuer);
    (is_of_domain && binding.subject.matches(id)).then(|| id.clone())
}
