//! From what a request presents to who asks. One statement; a malformed token costs none, and a proof of possession
//! one more, in which it is remembered.

use std::sync::Arc;

use forge_auth::policy::{CredentialFacts, Means, Presence, Principal, Subject};
use forge_auth::token::{Secret, recognise};
use forge_store::credentials::Authentication;
use forge_store::grants::GrantLink;
use forge_store::web_sessions::WebSession;
use forge_types::account::{AccountRef, AccountStatus};
use forge_types::audience::{Audience, Place};
use forge_types::credential::{Credential, CredentialKind};
use forge_types::{Error, ErrorKind, ProofProblem, Result, Timestamp};

use crate::app::{App, key_fault};
use crate::context::{
    Authority, Caller, CallerCredential, CallerSession, GrantedTask, RequestContext, RequestInfo, Surface,
};
use crate::grants::facts_of;
use crate::people::sessions;
use crate::proof::{self, Shown, certificate};

/// Returns the context of a request that presents `token`; the token may be of any kind that opens the surfaces.
///
/// # Errors
/// `Unauthenticated`, always with the same words, if it is malformed, unknown, expired, revoked, not an access
/// token, or if its account or the human behind it may not act; `Unproved` if it is bound to a key.
pub async fn with_token(app: &Arc<App>, token: &Secret, info: RequestInfo) -> Result<RequestContext> {
    check_form(app, token)?;
    let found = find_live(app, token, &info).await?;
    if found.credential.cnf_jkt.is_some() {
        let message =
            "this token is bound to a key: present it with the scheme `DPoP` and a proof of the key";
        return Err(Error::unproved(ProofProblem::InvalidToken, message));
    }
    Ok(admit(app, found, info))
}

/// Returns the context of a request that presents `token` with a proof of the key it is bound to.
///
/// # Errors
/// `Unproved` if the token is not good, not bound to the key, or the proof proves nothing.
pub async fn with_proof(
    app: &Arc<App>,
    token: &Secret,
    shown: &Shown,
    info: RequestInfo,
) -> Result<RequestContext> {
    let no_good = |error: Error| match error.kind() {
        ErrorKind::Unauthenticated => Error::unproved(ProofProblem::InvalidToken, error.message()),
        _ => error,
    };
    check_form(app, token).map_err(no_good)?;
    let proof = proof::with_token(app, shown, token)?;
    let found = find_live(app, token, &info).await.map_err(no_good)?;
    if found.credential.cnf_jkt.as_deref() != Some(proof.thumbprint().as_str()) {
        let message = "the token is not bound to the key of this proof";
        return Err(Error::unproved(ProofProblem::InvalidToken, message));
    }
    proof::accept(app, &proof).await?;
    Ok(admit(app, found, info))
}

fn check_form(app: &App, token: &Secret) -> Result<()> {
    let kind = recognise(&app.token_prefix, token.expose());
    if kind.is_some_and(CredentialKind::is_access_token) { Ok(()) } else { Err(Error::bad_credentials()) }
}

async fn find_live(app: &App, token: &Secret, info: &RequestInfo) -> Result<Authentication> {
    let is_good =
        |found: &Authentication| is_live(found, app.now()) && is_for_surface(&found.credential, info.surface);
    let found = find(app, token).await?.filter(is_good).ok_or_else(Error::bad_credentials)?;
    certificate::check(&found, info)?;
    Ok(found)
}

fn admit(app: &Arc<App>, found: Authentication, info: RequestInfo) -> RequestContext {
    app.note_use(found.credential.id, app.now());
    RequestContext::new(Arc::clone(app), caller_of(found), info)
}

/// Returns the context of a request from the browser that holds `cookie`.
///
/// # Errors
/// `Unauthenticated` if the session is unknown, over or ended, or its account may not act.
pub async fn with_session(app: &Arc<App>, cookie: &Secret, info: RequestInfo) -> Result<RequestContext> {
    let now = app.now();
    let found = find_session(app, cookie).await?.filter(|found| {
        found.revoked_at.is_none() && now < found.expires_at && found.status == AccountStatus::Active
    });
    let found = found.ok_or_else(Error::bad_credentials)?;
    let presence = presence(now, found.authenticated_at);
    let principal = Principal::new(
        found.account.id,
        found.account.kind,
        found.account.is_site_admin,
        Means::Browser { authenticated_at: found.authenticated_at, presence },
    );
    let session = CallerSession {
        id: found.id,
        authenticated_at: found.authenticated_at,
        presence,
        expires_at: found.expires_at,
    };
    let caller = Caller {
        subject: Subject::Principal(principal),
        account: Some(found.account),
        session: Some(session),
        ..Caller::anonymous()
    };
    Ok(RequestContext::new(Arc::clone(app), caller, info))
}

fn presence(now: Timestamp, authenticated_at: Timestamp) -> Presence {
    match now.since(authenticated_at) {
        age if age < sessions::CONFIRMATION => Presence::Confirmed,
        age if age < sessions::FRESHNESS => Presence::Recent,
        _ => Presence::Stale,
    }
}

async fn find_session(app: &App, cookie: &Secret) -> Result<Option<WebSession>> {
    let mut conn = app.db.read().await?;
    for hash in sessions::hashes(app, cookie)? {
        if let Some(found) = forge_store::web_sessions::find_by_hash(&mut conn, &hash).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Returns the context of a request that presents nothing.
#[must_use]
pub fn anonymous(app: &Arc<App>, info: RequestInfo) -> RequestContext {
    RequestContext::new(Arc::clone(app), Caller::anonymous(), info)
}

/// Finds the credential `token` is the value of, live or not, under the current key or a previous one.
pub(crate) async fn find(app: &App, token: &Secret) -> Result<Option<Authentication>> {
    let mut conn = app.db.read().await?;
    for hash in app.keys.candidate_hashes("credential", token.expose().as_bytes()).map_err(key_fault)? {
        if let Some(found) = forge_store::credentials::authenticate(&mut conn, &hash).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Returns the same request as one that presents what was found, which is not checked.
pub(crate) fn as_bearer(ctx: &RequestContext, found: Authentication) -> RequestContext {
    ctx.derived(caller_of(found), ctx.info().clone())
}

/// Returns whether the credential still stands and everyone behind it may act. `expires_at` is exclusive.
pub(crate) fn is_live(found: &Authentication, now: Timestamp) -> bool {
    found.credential.expires_at.is_none_or(|expiry| now < expiry) && is_unrevoked(found, now)
}

/// Returns the same of a credential whose own time may be over: for what was asked for while it was not.
pub(crate) fn is_unrevoked(found: &Authentication, now: Timestamp) -> bool {
    let credential = &found.credential;
    let is_kept = credential.revoked_at.is_none() && credential.consumed_at.is_none();
    let account_acts = found.status == AccountStatus::Active;
    let human_acts = match &found.acting {
        None => credential.kind != CredentialKind::Switch,
        Some(human) => found.acting_status == Some(AccountStatus::Active) && found.owner_id == Some(human.id),
    };
    let grants_stand = found.chain.iter().all(|link| link.stands(now));
    // What was granted is whoever's who granted it; without a grant, an agent in delegated mode is nothing without its human.
    let is_alone = !found.chain.is_empty() || found.on_behalf_of.is_none();
    let delegator_acts =
        is_alone || found.on_behalf_of.as_ref().is_some_and(|(_, status)| *status == AccountStatus::Active);
    is_kept && account_acts && human_acts && grants_stand && delegator_acts
}

/// Returns whether a token with this audience, of this kind, is good on this surface at all.
fn is_for_surface(credential: &Credential, surface: Surface) -> bool {
    let is_within = |place| credential.audience.as_ref().is_none_or(|audience| audience.includes(place));
    match surface {
        Surface::Rest => credential.kind != CredentialKind::Git && is_within(Place::Rest),
        Surface::GraphQl => credential.kind != CredentialKind::Git && is_within(Place::GraphQl),
        Surface::Git => credential.audience.as_ref().is_none_or(Audience::includes_git),
        Surface::OAuth | Surface::Web | Surface::Console | Surface::Job => true,
    }
}

/// Returns by whose leave somebody acts: by the grants if there are any, else by the mode of the agent.
pub(crate) fn authority_of(chain: &[GrantLink], on_behalf_of: Option<&AccountRef>) -> Option<Authority> {
    let Some(own) = chain.first() else {
        let delegator = on_behalf_of?.clone();
        return Some(Authority { grant: None, delegators: vec![delegator.id], delegator });
    };
    Some(Authority {
        grant: Some(GrantedTask { grant_id: own.id.clone(), task: own.task.clone() }),
        delegator: own.delegator.clone(),
        delegators: chain.iter().map(|link| link.delegator.id).collect(),
    })
}

/// Returns the caller that bears what was found, which is not checked.
pub(crate) fn caller_of(found: Authentication) -> Caller {
    let credential = found.credential;
    let authority = authority_of(&found.chain, found.on_behalf_of.as_ref().map(|(account, _)| account));
    let holder_id = authority.as_ref().and_then(|authority| authority.delegators.last()).copied();
    let grants = facts_of(found.chain);
    let facts = CredentialFacts {
        id: credential.id,
        kind: credential.kind,
        scopes: credential.scopes.clone(),
        acting_id: credential.acting_id,
        grants,
        audience: credential.audience.clone(),
        is_approved: false,
        lacks_key: found.bound_only && !credential.is_bound() && credential.kind != CredentialKind::Git,
        signed_only: found.signed_only,
        is_of_runtime: credential.runtime.is_some(),
    };
    let principal = Principal {
        id: found.account.id,
        kind: found.account.kind,
        is_site_admin: found.account.is_site_admin,
        owner_id: found.owner_id,
        standing_access: found.standing_access,
        ceiling: found.ceiling.map(Box::new),
        holder_id,
        stops: found.stops,
        means: Means::Credential(facts),
    };
    Caller {
        subject: Subject::Principal(principal),
        account: Some(found.account),
        acting: found.acting,
        runtime: credential.runtime,
        credential: Some(CallerCredential {
            id: credential.id,
            kind: credential.kind,
            fingerprint: found.fingerprint,
            scopes: credential.scopes,
            family: credential.family,
            parent_id: credential.parent_id,
            cnf_jkt: credential.cnf_jkt,
            cnf_x5t: credential.cnf_x5t,
            expires_at: credential.expires_at,
            renewable_until: credential.renewable_until,
            client_id: credential.client_id,
            audience: credential.audience,
        }),
        authority,
        session: None,
    }
}
