//! A workload opens a session of an agent with what its issuer says of it (RFC 7523 §2.1, RFC 8693), under a binding that
//! the agent's human or an administrator made. The agent is its own client, so the request names it.
//!
//! INVARIANT: whatever is wrong, the answer is the same, so that it tells nobody which bindings there are.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use forge_auth::jose::{KeySet, Thumbprint};
use forge_auth::messages::{
    ACCESS_TOKEN, ClientAuthentication, Exchanged, OAuthCode, OAuthError, TokenAnswer, WorkloadRequest,
};
use forge_auth::workload::{Demand, Vouched, WorkloadToken};
use forge_types::account::{Account, AccountKind, AccountRef};
use forge_types::credential::CredentialKind;
use forge_types::workload::{AUTHORITIES, IssuerKeys, WorkloadBinding};
use forge_types::{Error, Event};

use super::bootstrap::unbound;
use super::failure::Fault;
use super::{answer, is_unbound, issuer};
use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};
use crate::standing::Standing;

/// Where keys are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace<'a> {
    /// At this address.
    Address(&'a str),
    /// Wherever this issuer says (OpenID Connect Discovery 1.0 §4).
    Issuer(&'a str),
}

/// Keys that are being sought, or what went wrong, for the operator.
pub type SoughtKeys<'a> = Pin<Box<dyn Future<Output = Result<Arc<KeySet>, String>> + Send + 'a>>;

/// Where the keys of issuers come from: whoever speaks HTTP. It remembers them, and asks for what is not known but seldom.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Returns the keys that are published at a place, with the one called `wanted` if there is one.
    fn keys<'a>(&'a self, place: KeyPlace<'a>, wanted: Option<&'a str>) -> SoughtKeys<'a>;
}

/// Gives a session to a workload, bound to the key of a proof if one comes with it.
pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    request: &WorkloadRequest,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let token = WorkloadToken::read(request.token.expose()).map_err(|why| refused(ctx, why))?;
    let (account, binding, vouched) = recognise(ctx, said, &token).await?;
    if !forge_store::proofs::remember(&ctx.app().db, &vouched.replay_key, vouched.remembered_until).await? {
        return Err(refused(ctx, "it has come before").into());
    }
    let runtime = runtime(&binding, &token);
    let ctx = ctx.speaking_in(AccountRef::from(&account), runtime);
    let mut tx = ctx.begin().await?;
    let standing = Standing::of_account(&mut tx, account.id).await?;
    let standing = standing.ok_or_else(|| refused(&ctx, "the agent may not act"))?;
    let agent = forge_store::agents::find(&mut tx, account.id).await?;
    if agent.is_none_or(|agent| agent.bound_only) && is_unbound(&ctx, key) {
        return Err(unbound());
    }
    // The account is held, and so is the binding from here: whoever removes it ends what it has opened.
    let binding = forge_store::workload_bindings::touch(&mut tx, account.id, &binding.id, ctx.now()).await?;
    let binding = binding.ok_or_else(|| refused(&ctx, "the binding is gone"))?;
    let kind = CredentialKind::Session;
    let longest = kind.max_lifetime().unwrap_or(binding.max_ttl);
    let new = NewToken {
        scopes: request.scopes.clone(),
        family: Some(&binding.id.0),
        cnf_jkt: key.map(Thumbprint::to_string),
        expires_at: Some(ctx.now().plus(binding.max_ttl.min(longest))),
        ..NewToken::new(account.id, kind, "workload")
    };
    let session = issue(&ctx, &mut tx, &standing, new).await?;
    let event = Event::new("agent.workload_exchanged").with("binding_id", binding.id.0.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    let exchanged = Exchanged { token_type: ACCESS_TOKEN, details: Vec::new() };
    Ok(TokenAnswer {
        exchanged: request.is_exchange.then_some(exchanged),
        ..answer(ctx.now(), session, None)
    })
}

/// What a runtime begins with whose issuer nobody has asked: the keys came with the binding, and whoever made that says whose
/// they are. So policies and readers of the audit log do not take it for the issuer's word.
const BY_BINDING: &str = "by-binding:";

fn runtime(binding: &WorkloadBinding, token: &WorkloadToken) -> String {
    let said_by = if binding.keys == IssuerKeys::Discovered { "" } else { BY_BINDING };
    format!("{said_by}{} {}", token.issuer(), token.subject())
}

/// Returns the agent that is named, and the first of its bindings that takes the token. Keys are asked for outside of any
/// transaction, and only if the rest of a binding fits what the token says.
async fn recognise(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    token: &WorkloadToken,
) -> Result<(Account, WorkloadBinding, Vouched), Fault> {
    let login = said.client_id.as_deref().ok_or_else(|| refused(ctx, "it names no agent"))?;
    let mut conn = ctx.read().await?;
    let account = forge_store::accounts::find_by_login(&mut conn, login).await?;
    let account = account.filter(|account| account.kind == AccountKind::Agent);
    let account = account.ok_or_else(|| refused(ctx, "there is no such agent"))?;
    let bindings = forge_store::workload_bindings::list(&mut conn, account.id).await?;
    drop(conn);
    let mut why = "no binding is for this issuer and subject".to_owned();
    for binding in bindings {
        // Authorities vouch by certificates alone.
        let is_for_tokens = binding.issuer != AUTHORITIES;
        if !is_for_tokens || binding.issuer != token.issuer() || !binding.subject.matches(token.subject()) {
            continue;
        }
        match vouched(ctx, &binding, token).await {
            Ok(vouched) => return Ok((account, binding, vouched)),
            Err(problem) => why = format!("{}: {problem}", binding.id),
        }
    }
    Err(refused(ctx, why).into())
}

async fn vouched(
    ctx: &RequestContext,
    binding: &WorkloadBinding,
    token: &WorkloadToken,
) -> Result<Vouched, String> {
    let source = &ctx.app().key_source;
    let keys = match &binding.keys {
        IssuerKeys::Inline(text) => {
            let set = serde_json::from_str(text).map_err(|error| error.to_string())?;
            Arc::new(KeySet::from_json(&set).map_err(|malformed| malformed.to_string())?)
        }
        IssuerKeys::Address(address) => source.keys(KeyPlace::Address(address), token.key_id()).await?,
        IssuerKeys::Discovered => source.keys(KeyPlace::Issuer(&binding.issuer), token.key_id()).await?,
    };
    let own = issuer(ctx);
    let demand = Demand {
        audience: binding.audience.as_deref().unwrap_or(&own),
        subject: &binding.subject,
        claims: &binding.claims,
        now: ctx.now(),
    };
    token.check(&keys, &demand).map_err(|malformed| malformed.to_string())
}

/// Always the same words; why stands in the log of the operator.
fn refused(ctx: &RequestContext, why: impl fmt::Display) -> OAuthError {
    tracing::debug!(request = %ctx.info().id, %why, "a workload's token is refused");
    let message =
        "the token is not one that opens a session of the agent named by `client_id`, or has come before";
    OAuthError::new(OAuthCode::InvalidGrant, message)
}
