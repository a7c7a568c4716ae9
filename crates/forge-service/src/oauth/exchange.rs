//! An agent exchanges its own credential for a narrower one (RFC 8693): for a task, for the Git transport of one
//! repository, for one tool. What comes out never exceeds what went in.

use std::time::Duration;

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{
    ACCESS_TOKEN, ExchangeRequest, Exchanged, GIT_TOKEN, OAuthCode, OAuthError, TOOL_TOKEN, TokenAnswer,
    Wanted,
};
use forge_auth::token::{Secret, recognise as recognise_token};
use forge_store::credentials::Authentication;
use forge_store::grants::GrantLink;
use forge_types::account::AccountKind;
use forge_types::audience::{Audience, Place};
use forge_types::credential::CredentialKind;
use forge_types::grant::{GrantState, TaskGrant};
use forge_types::id::GrantId;
use forge_types::{Action, Error, ErrorKind, Event, Timestamp};
use serde_json::Value;

use super::failure::Fault;
use super::{answer, is_unbound, issuer};
use crate::authenticate::{self, find, is_live};
use crate::context::RequestContext;
use crate::credentials::{NewToken, Parent, issue};
use crate::grants::granted;
use crate::proof::certificate::is_shown;
use crate::standing::Standing;
use crate::target::RepositoryTarget;

/// How long a task token lasts unless more is asked for; its kind says how much that can be.
const TASK: Duration = Duration::from_secs(15 * 60);

pub(super) async fn exchange(
    ctx: &RequestContext,
    request: &ExchangeRequest,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let subject = subject(ctx, &request.subject_token).await?;
    check_key(&subject, key)?;
    check_certificate(ctx, &subject, key)?;
    let kind = match request.wanted {
        Wanted::Task => CredentialKind::Task,
        Wanted::Git => CredentialKind::Git,
        Wanted::Tool => CredentialKind::Tool,
    };
    check_step(&subject, kind)?;
    let id = wanted_grant(request, &subject, kind)?;
    let chain = match &id {
        Some(id) => usable(ctx, &subject, id).await?,
        None => Vec::new(),
    };
    // Places are looked up with what the new token will be able to do.
    let mut bearer = Authentication { chain, ..subject.clone() };
    bearer.credential.kind = kind;
    bearer.credential.audience = None;
    let audience = audience(&authenticate::as_bearer(ctx, bearer), request, &subject).await?;
    let (account, credential) = (subject.account.id, &subject.credential);
    let acting = authenticate::as_bearer(ctx, subject.clone());
    let mut tx = acting.begin().await?;
    let standing = Standing::of_credential(&acting, &mut tx, account, credential.id).await?;
    let standing = standing.ok_or_else(OAuthError::invalid_grant)?;
    let grant = match &id {
        Some(id) => forge_store::grants::find_viewed(&mut tx, None, id).await?.map(|found| found.grant),
        None => None,
    };
    let mut parent = Parent::from(credential);
    if kind == CredentialKind::Git {
        // Git sends no proofs. What stands in for them: minutes, one repository, and a proof for having it.
        parent.cnf_jkt = None;
    }
    let new = NewToken {
        scopes: credential.scopes.clone(),
        family: Some(&credential.family),
        expires_at: Some(end(request, kind, grant.as_ref(), &parent, acting.now())?),
        parent: Some(parent),
        grant: grant.as_ref().map(|grant| &grant.id),
        audience,
        cnf_jkt: key.filter(|_| kind != CredentialKind::Git).map(Thumbprint::to_string),
        ..NewToken::new(account, kind, kind.as_str())
    };
    let issued = issue(&acting, &mut tx, &standing, new).await?;
    let mut event = Event::new("token.exchanged")
        .with("credential_id", issued.1.id.0)
        .with("kind", kind.as_str())
        .with("parent_credential_id", credential.id.0);
    if let Some(grant) = &grant {
        event = event.with("grant_id", grant.id.0.as_str()).with("task", grant.task.as_str());
    }
    acting.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    ctx.app().note_use(credential.id, ctx.now());
    let details: Vec<Value> = grant.iter().map(|grant| granted(&acting, grant)).collect();
    let token_type = match request.wanted {
        Wanted::Task => ACCESS_TOKEN,
        Wanted::Git => GIT_TOKEN,
        Wanted::Tool => TOOL_TOKEN,
    };
    Ok(TokenAnswer {
        exchanged: Some(Exchanged { token_type, details }),
        ..answer(acting.now(), issued, None)
    })
}

/// Returns an agent's own token with whose it is, for asking for a task with it. That it may be bound to a key is for the
/// exchange to look at: asking gives nothing.
pub(super) async fn own_token(ctx: &RequestContext, token: &Secret) -> Result<Authentication, Fault> {
    let found = subject(ctx, token).await?;
    check_step(&found, CredentialKind::Task)?;
    Ok(found)
}

/// Returns the presented token with whose it is. A token that is no good is an invalid request here (RFC 8693 §2.2.2).
async fn subject(ctx: &RequestContext, token: &Secret) -> Result<Authentication, Fault> {
    let refused =
        || OAuthError::invalid_request("the subject token is unknown, used, over, or not an agent's");
    if recognise_token(&ctx.app().token_prefix, token.expose()).is_none() {
        return Err(refused().into());
    }
    let found = find(ctx.app(), token).await?.filter(|found| is_live(found, ctx.now()));
    let is_agents = |found: &Authentication| found.account.kind == AccountKind::Agent;
    Ok(found.filter(is_agents).ok_or_else(refused)?)
}

/// A token that is bound to a key is exchanged with a proof of that key.
fn check_key(subject: &Authentication, key: Option<&Thumbprint>) -> Result<(), OAuthError> {
    let refuse = |message: &str| Err(OAuthError::invalid_request(message));
    match (&subject.credential.cnf_jkt, key) {
        (Some(bound), Some(key)) if bound.as_str() != key.as_str() => {
            refuse("the subject token is bound to another key")
        }
        (Some(_), None) => refuse("the subject token is bound to a key: this takes a proof of it"),
        (Some(_) | None, _) => Ok(()),
    }
}

/// The same of a certificate, which binds as well as a key does.
fn check_certificate(
    ctx: &RequestContext,
    subject: &Authentication,
    key: Option<&Thumbprint>,
) -> Result<(), OAuthError> {
    if !is_shown(subject.credential.cnf_x5t.as_deref(), ctx.info()) {
        let message = "the subject token is bound to a client certificate: this takes a connection with it";
        return Err(OAuthError::invalid_request(message));
    }
    if subject.bound_only && subject.credential.cnf_jkt.is_none() && is_unbound(ctx, key) {
        let message = "this agent takes tokens only that are bound to a key: this takes a proof of one";
        return Err(OAuthError::invalid_request(message));
    }
    Ok(())
}

/// What may be had for what: a task token for the agent's own credential, the others for that or for a task token.
fn check_step(subject: &Authentication, wanted: CredentialKind) -> Result<(), OAuthError> {
    let own = &subject.credential;
    let is_own = matches!(
        own.kind,
        CredentialKind::Personal
            | CredentialKind::Session
            | CredentialKind::Bootstrap
            | CredentialKind::OAuth
    );
    let may = is_own || (own.kind == CredentialKind::Task && wanted != CredentialKind::Task);
    if may {
        return Ok(());
    }
    let message =
        format!("a {} token cannot be exchanged for a {} token", own.kind.as_str(), wanted.as_str());
    Err(OAuthError::invalid_request(message))
}

/// Returns the grant the new token is to be for: the one that is named, or that of the presented token.
fn wanted_grant(
    request: &ExchangeRequest,
    subject: &Authentication,
    kind: CredentialKind,
) -> Result<Option<GrantId>, OAuthError> {
    let refuse = |message: &str| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, message);
    match (&request.grant_id, &subject.credential.grant_id) {
        (Some(wanted), Some(own)) if wanted != own => Err(refuse("the subject token is for another grant")),
        (None, None) if kind == CredentialKind::Task => {
            Err(refuse("`authorization_details` must name the grant that the token is to be for"))
        }
        (Some(id), _) | (None, Some(id)) => Ok(Some(id.clone())),
        (None, None) => Ok(None),
    }
}

/// Returns the chain of a grant for this agent that stands. Should it end now, the new token is worth nothing from the start.
async fn usable(
    ctx: &RequestContext,
    subject: &Authentication,
    id: &GrantId,
) -> Result<Vec<GrantLink>, Fault> {
    let refuse = |message: String| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, message);
    let chain = forge_store::grants::find_chain(&mut ctx.read().await?, id).await?;
    if chain.first().is_none_or(|link| link.agent_id != subject.account.id) {
        return Err(refuse("there is no such grant for this agent".to_owned()).into());
    }
    for link in &chain {
        let waits = format!("it waits for consent: POST /api/ext/v1/task-grants/{}/consent", link.id);
        let why = match link.life.state(ctx.now()) {
            GrantState::Active if link.stands(ctx.now()) => continue,
            GrantState::Active => "whoever delegated may not act now",
            GrantState::PendingConsent => waits.as_str(),
            GrantState::Expired => "its time is over",
            GrantState::Revoked => "it was revoked",
        };
        return Err(refuse(format!("grant {} cannot be used: {why}", link.id)).into());
    }
    Ok(chain)
}

/// Returns when the new token stops: not after its grant or its parent, and not later than its kind lasts.
fn end(
    request: &ExchangeRequest,
    kind: CredentialKind,
    grant: Option<&TaskGrant>,
    parent: &Parent,
    now: Timestamp,
) -> Result<Timestamp, OAuthError> {
    let longest = kind.max_lifetime().unwrap_or(TASK);
    let asked = request.lifetime.map(Duration::from_secs);
    if asked.is_some_and(|asked| asked.is_zero() || asked > longest) {
        let message = format!("`expires_in` is 1 to {} for such a token", longest.as_secs());
        return Err(OAuthError::invalid_request(message));
    }
    let latest = now.plus(asked.unwrap_or_else(|| longest.min(TASK)));
    let limits = [grant.map(|grant| grant.life.expires_at), parent.expires_at];
    Ok(limits.into_iter().flatten().fold(latest, Timestamp::min))
}

/// Returns where the new token is to be good for anything.
async fn audience(
    acting: &RequestContext,
    request: &ExchangeRequest,
    subject: &Authentication,
) -> Result<Option<Audience>, Fault> {
    let refuse = |message: &str| OAuthError::new(OAuthCode::InvalidTarget, message);
    let mut places = Vec::with_capacity(request.resources.len());
    for address in &request.resources {
        places.push(place(acting, address).await?);
    }
    let outer = subject.credential.audience.as_ref();
    let asked = Audience::new(places);
    let audience = match (asked, outer) {
        (None, outer) => outer.cloned(),
        (Some(asked), Some(outer)) if !asked.within(outer) => {
            return Err(refuse("the subject token is not for that place").into());
        }
        (Some(asked), _) => Some(asked),
    };
    let is_one_repository = audience.as_ref().is_some_and(|audience| {
        let places: Vec<Place> = audience.places().collect();
        matches!(places.as_slice(), [Place::Git(_)])
    });
    match request.wanted {
        Wanted::Git if !is_one_repository => {
            Err(refuse("a token for Git takes one `resource`: the address of one repository").into())
        }
        Wanted::Tool if audience.is_none() => {
            Err(refuse("a token for a tool takes `resource`: where the tool may use it").into())
        }
        Wanted::Task | Wanted::Git | Wanted::Tool => Ok(audience),
    }
}

/// Returns the place an address stands for. A repository has to be one that the presented token can read, and that is all
/// that is told about one that it cannot.
async fn place(acting: &RequestContext, address: &str) -> Result<Place, Fault> {
    let unknown = || {
        let message = format!("`{address}` is no place of this forge that the token could be for");
        OAuthError::new(OAuthCode::InvalidTarget, message)
    };
    let path = address.strip_prefix(&issuer(acting)).ok_or_else(unknown)?;
    match path.trim_end_matches('/') {
        "/api/v3" => return Ok(Place::Rest),
        "/api/graphql" => return Ok(Place::GraphQl),
        _ => {}
    }
    let name = path.trim_start_matches('/').split_once('/').filter(|(_, name)| !name.contains('/'));
    let (owner, name) = name.ok_or_else(unknown)?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    let target = RepositoryTarget::PresentName(owner, name);
    let mut conn = acting.read().await?;
    match acting.authorize(&mut conn, target, Action::RepositoryRead).await {
        Ok(found) => Ok(Place::Git(found.repository.id)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) => {
            Err(unknown().into())
        }
        Err(error) => Err(error.into()),
    }
}
