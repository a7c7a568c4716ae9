//! Issuing a credential.

use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::credentials::NewCredential;
use forge_types::credential::{Audience, Credential, CredentialKind};
use forge_types::id::{AccountId, CredentialId, GrantId};
use forge_types::{Error, Event, FieldCode, ProofProblem, Result, Scopes, Timestamp};

use crate::app::key_fault;
use crate::context::{CallerCredential, RequestContext, Surface};
use crate::proof::certificate::is_shown;
use crate::standing::Standing;

/// The most live credentials of one kind an account may have. Nothing is ever dropped to make room.
const MOST_PER_KIND: i64 = 200;

/// What a credential is to be.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub account: AccountId,
    /// What it is for.
    pub kind: CredentialKind,
    /// What its owner calls it.
    pub name: &'a str,
    /// What it is limited to; `None` means everything its account may do.
    pub scopes: Option<Scopes>,
    /// The human who acts through it, for switch sessions.
    pub acting: Option<AccountId>,
    /// The OAuth client it is issued to.
    pub client: Option<&'a str>,
    /// The authorization it descends from; `None` begins one.
    pub family: Option<&'a str>,
    /// What it is derived from.
    pub parent: Option<Parent>,
    /// The grant it is a token for.
    pub grant: Option<&'a GrantId>,
    /// Where it is good for anything; `None` means wherever its kind is.
    pub audience: Option<Audience>,
    /// The thumbprint of the key it is bound to; `None` binds it to the key of what it is derived from, if that has one.
    pub cnf_jkt: Option<String>,
    /// When it stops; `None` for as late as its kind and its parent allow.
    pub expires_at: Option<Timestamp>,
    /// The instant past which renewing cannot reach.
    pub renewable_until: Option<Timestamp>,
}

impl<'a> NewToken<'a> {
    /// Returns a credential with everything its account may do and the longest life its kind allows.
    #[must_use]
    pub const fn new(account: AccountId, kind: CredentialKind, name: &'a str) -> Self {
        Self {
            account,
            kind,
            name,
            scopes: None,
            acting: None,
            client: None,
            family: None,
            parent: None,
            grant: None,
            audience: None,
            cnf_jkt: None,
            expires_at: None,
            renewable_until: None,
        }
    }
}

/// What a credential is derived from, and must not exceed.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The credential.
    pub id: CredentialId,
    /// What it is limited to.
    pub scopes: Option<Scopes>,
    /// The thumbprint of the key it is bound to.
    pub cnf_jkt: Option<String>,
    /// The SHA-256 of the client certificate it is bound to.
    pub cnf_x5t: Option<String>,
    /// When it stops.
    pub expires_at: Option<Timestamp>,
}

impl From<&CallerCredential> for Parent {
    fn from(credential: &CallerCredential) -> Self {
        Self {
            id: credential.id,
            scopes: credential.scopes.clone(),
            cnf_jkt: credential.cnf_jkt.clone(),
            cnf_x5t: credential.cnf_x5t.clone(),
            expires_at: credential.expires_at,
        }
    }
}

impl From<&Credential> for Parent {
    fn from(credential: &Credential) -> Self {
        Self {
            id: credential.id,
            scopes: credential.scopes.clone(),
            cnf_jkt: credential.cnf_jkt.clone(),
            cnf_x5t: credential.cnf_x5t.clone(),
            expires_at: credential.expires_at,
        }
    }
}

/// Creates a credential, records that, and returns its value, which is kept nowhere.
///
/// The caller has authorized the use case this is part of and shows with `standing` that what it rests on stands; here
/// only what holds for every credential is enforced.
///
/// # Errors
/// `Invalid` if it would exceed its parent, is already over, or the account has too many of its kind.
pub async fn issue(
    ctx: &RequestContext,
    tx: &mut Tx,
    standing: &Standing,
    new: NewToken<'_>,
) -> Result<(Secret, Credential)> {
    if !standing.holds(new.account) {
        return Err(Error::internal("a credential was to be issued for an account that is not held"));
    }
    let now = ctx.now();
    check_scopes(&new)?;
    let cnf_jkt = binding(&new)?;
    let cnf_x5t = certificate(ctx, &new)?;
    let expires_at = expiry(&new, now)?;
    check_number(tx, &new, now).await?;
    let app = ctx.app();
    let secret = app.mint(new.kind);
    let family = new.family.map_or_else(|| app.random_id("fam_"), str::to_owned);
    let (hash, key_id) = store_hash(ctx, &secret)?;
    let row = NewCredential {
        account_id: new.account,
        kind: new.kind,
        hash,
        key_id: &key_id,
        tail: secret.tail(),
        fingerprint: &secret.fingerprint(),
        name: new.name,
        scopes: new.scopes.as_ref(),
        acting_id: new.acting,
        client_id: new.client,
        family: &family,
        parent_id: new.parent.as_ref().map(|parent| parent.id),
        grant_id: new.grant,
        audience: new.audience.as_ref(),
        cnf_jkt,
        cnf_x5t,
        // Whatever somebody makes who was proved to run somewhere was made there.
        runtime: ctx.caller().runtime.as_deref(),
        expires_at,
        renewable_until: new.renewable_until,
    };
    let credential = forge_store::credentials::insert(tx, &row, now).await?;
    ctx.record(tx, event(&credential, &secret)).await?;
    Ok((secret, credential))
}

/// Returns the keyed hash under which `secret` is stored, and the id of the key.
pub(crate) fn store_hash(ctx: &RequestContext, secret: &Secret) -> Result<([u8; 32], String)> {
    let keys = &ctx.app().keys;
    Ok((keys.hash(secret).map_err(key_fault)?, keys.current_id().to_owned()))
}

fn check_scopes(new: &NewToken<'_>) -> Result<()> {
    let Some(limit) = new.parent.as_ref().and_then(|parent| parent.scopes.as_ref()) else { return Ok(()) };
    if new.scopes.as_ref().is_some_and(|scopes| limit.includes(scopes)) {
        return Ok(());
    }
    let message = "scopes must be among those of the credential this is created with";
    Err(Error::invalid("Token", "scopes", FieldCode::Invalid, message))
}

/// What is derived from something bound to a key is bound to the same.
fn binding<'n>(new: &'n NewToken<'_>) -> Result<Option<&'n str>> {
    let of_parent = new.parent.as_ref().and_then(|parent| parent.cnf_jkt.as_deref());
    match (new.cnf_jkt.as_deref(), of_parent) {
        (Some(asked), Some(of_parent)) if asked != of_parent => {
            let message = "what this is derived from is bound to another key";
            Err(Error::unproved(ProofProblem::InvalidProof, message))
        }
        (asked, of_parent) => Ok(asked.or(of_parent)),
    }
}

/// What is derived from something bound to a certificate is bound to the same, and what is had at the token endpoint with a
/// certificate is bound to that.
fn certificate<'n>(ctx: &'n RequestContext, new: &'n NewToken<'_>) -> Result<Option<&'n str>> {
    let info = ctx.info();
    let of_parent = new.parent.as_ref().and_then(|parent| parent.cnf_x5t.as_deref());
    if !is_shown(of_parent, info) {
        let message = "what this is derived from is bound to another client certificate";
        return Err(Error::unproved(ProofProblem::WrongCertificate, message));
    }
    let shown = info.certificate.as_ref().filter(|_| info.surface == Surface::OAuth);
    Ok(of_parent.or_else(|| shown.map(|certificate| certificate.thumbprint.as_str())))
}

/// The earliest of what was asked for, what the kind allows and when the parent stops.
fn expiry(new: &NewToken<'_>, now: Timestamp) -> Result<Option<Timestamp>> {
    let refuse = |message: &str| Err(Error::invalid("Token", "expires_at", FieldCode::Invalid, message));
    if new.expires_at.is_some_and(|asked| asked <= now) {
        return refuse("expires_at must be in the future");
    }
    let latest_of_kind = new.kind.max_lifetime().map(|lifetime| now.plus(lifetime));
    let latest_of_parent = new.parent.as_ref().and_then(|parent| parent.expires_at);
    let limits = [latest_of_kind, latest_of_parent, new.renewable_until];
    let latest = limits.into_iter().flatten().min();
    match (new.expires_at, latest) {
        (Some(asked), Some(latest)) if asked > latest => {
            refuse("expires_at is later than this credential may last")
        }
        (Some(asked), _) => Ok(Some(asked)),
        (None, latest) => Ok(latest),
    }
}

async fn check_number(tx: &mut Tx, new: &NewToken<'_>, now: Timestamp) -> Result<()> {
    let live = forge_store::credentials::count(tx, new.account, new.kind, now).await?;
    if live < MOST_PER_KIND {
        return Ok(());
    }
    let message = format!(
        "this account has {MOST_PER_KIND} live credentials of the kind `{}`; revoke some of them first",
        new.kind.as_str()
    );
    Err(Error::invalid("Token", "kind", FieldCode::Custom, message))
}

fn event(credential: &Credential, secret: &Secret) -> Event {
    let mut event = Event::new("credential.created")
        .subject(credential.account_id)
        .with("credential_id", credential.id.0)
        .with("kind", credential.kind.as_str())
        .with("fingerprint", secret.fingerprint());
    if !credential.name.is_empty() {
        event = event.with("name", credential.name.as_str());
    }
    if let Some(scopes) = &credential.scopes {
        event = event.with("scopes", scopes.to_string());
    }
    if let Some(client) = &credential.client_id {
        event = event.with("client_id", client.as_str());
    }
    if let Some(grant) = &credential.grant_id {
        event = event.with("grant_id", grant.0.as_str());
    }
    if let Some(audience) = &credential.audience {
        event = event.with("audience", audience.to_string());
    }
    if let Some(key) = &credential.cnf_jkt {
        event = event.with("cnf_jkt", key.as_str());
    }
    if let Some(certificate) = &credential.cnf_x5t {
        event = event.with("cnf_x5t", certificate.as_str());
    }
    if let Some(expiry) = credential.expires_at {
        event = event.with("expires_at", expiry.to_string());
    }
    event
}
