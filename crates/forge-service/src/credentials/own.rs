//! What an account does with its own tokens.

use forge_auth::token::{Secret, recognise};
use forge_store::{Conn, Tx};
use forge_types::credential::{Credential, CredentialKind};
use forge_types::id::CredentialId;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result, Scopes, Timestamp};

use super::issue::{NewToken, Parent, issue};
use crate::app::key_fault;
use crate::context::RequestContext;
use crate::standing::{Standing, hold_to_end};
use crate::target::OwnAccount;

const LONGEST_NAME: usize = 100;

/// What a person or agent asks for when creating a token.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// What to call it.
    pub name: String,
    /// What to limit it to; `None` means to whatever the calling credential is limited to.
    pub scopes: Option<Scopes>,
    /// When it stops.
    pub expires_at: Option<Timestamp>,
}

/// Returns one page of the caller's live credentials, newest first, without their values.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list(ctx: &RequestContext, page: PageRequest) -> Result<Page<Credential>> {
    let mut conn = ctx.read().await?;
    let account = ctx.authorize(&mut conn, OwnAccount, Action::CredentialList).await?;
    Ok(forge_store::credentials::list(&mut conn, account.id, page, ctx.now()).await?)
}

/// Creates a standing token for the caller. Its value is in the answer and nowhere else.
///
/// # Errors
/// `Forbidden` through a switch session; `Invalid` if it asks for more than the calling credential has.
pub async fn create(ctx: &RequestContext, request: &TokenRequest) -> Result<(Secret, Credential)> {
    let name = check_name(&request.name)?;
    let mut tx = ctx.begin().await?;
    let account = ctx.authorize(&mut tx, OwnAccount, Action::CredentialCreate).await?;
    let standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let calling = ctx.caller().credential.as_ref();
    let limit = calling.and_then(|credential| credential.scopes.clone());
    let new = NewToken {
        scopes: request.scopes.clone().or(limit),
        parent: calling.map(Parent::from),
        expires_at: request.expires_at,
        ..NewToken::new(account.id, CredentialKind::Personal, name)
    };
    let issued = issue(ctx, &mut tx, &standing, new).await?;
    tx.commit().await?;
    Ok(issued)
}

/// Revokes one of the caller's credentials; one that is already dead stays so.
///
/// # Errors
/// `NotFound` if the caller has no such credential.
pub async fn revoke(ctx: &RequestContext, id: CredentialId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let account = ctx.authorize(&mut tx, OwnAccount, Action::CredentialRevoke).await?;
    let found =
        forge_store::credentials::find(&mut tx, account.id, id).await?.ok_or_else(Error::not_found)?;
    revoke_found(ctx, &mut tx, &found).await?;
    Ok(tx.commit().await?)
}

/// Revokes the caller's credential that has this value.
///
/// # Errors
/// `NotFound` if the caller has no such credential, whoever else may.
pub async fn revoke_value(ctx: &RequestContext, value: &Secret) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let account = ctx.authorize(&mut tx, OwnAccount, Action::CredentialRevoke).await?;
    let found = find_by_value(ctx, &mut tx, value).await?;
    let found = found.filter(|found| found.account_id == account.id).ok_or_else(Error::not_found)?;
    revoke_found(ctx, &mut tx, &found).await?;
    Ok(tx.commit().await?)
}

/// Returns the credential that has this value, live or not, whoever's it is. What is no token costs no statement.
pub(crate) async fn find_by_value(
    ctx: &RequestContext,
    conn: &mut Conn,
    value: &Secret,
) -> Result<Option<Credential>> {
    let app = ctx.app();
    if recognise(&app.token_prefix, value.expose()).is_none() {
        return Ok(None);
    }
    for hash in app.keys.candidate_hashes("credential", value.expose().as_bytes()).map_err(key_fault)? {
        if let Some(found) = forge_store::credentials::find_by_hash(conn, &hash).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Revokes a credential and what may not outlive it: the sessions a bootstrap secret was exchanged for, whatever a
/// program got or made by one consent, and the switch sessions opened with a token. Tokens that one's own token made stay,
/// since that is how a token is replaced.
pub(crate) async fn revoke_found(ctx: &RequestContext, tx: &mut Tx, credential: &Credential) -> Result<()> {
    let now = ctx.now();
    hold_to_end(tx, credential.account_id).await?;
    let revoked = forge_store::credentials::revoke(
        tx,
        credential.account_id,
        credential.id,
        "revoked by its owner",
        now,
    )
    .await?;
    let derived = match credential.kind {
        CredentialKind::Bootstrap => {
            forge_store::credentials::revoke_derived(
                tx,
                credential.id,
                "the bootstrap secret was revoked",
                now,
            )
            .await?
        }
        CredentialKind::Refresh | CredentialKind::OAuth => {
            forge_store::credentials::revoke_family(
                tx,
                &credential.family,
                "the authorization was revoked",
                now,
            )
            .await?
        }
        CredentialKind::Personal | CredentialKind::Session => {
            let reason = "the token it was opened with was revoked";
            forge_store::credentials::revoke_switch_sessions_opened_with(tx, credential.id, reason, now)
                .await?
        }
        CredentialKind::Task => {
            let reason = "the task token was revoked";
            forge_store::credentials::revoke_derived(tx, credential.id, reason, now).await?
        }
        CredentialKind::Switch | CredentialKind::Git | CredentialKind::Tool => 0,
    };
    if !revoked && derived == 0 {
        return Ok(());
    }
    let event = Event::new("credential.revoked")
        .subject(credential.account_id)
        .with("credential_id", credential.id.0)
        .with("kind", credential.kind.as_str())
        .with("with_it", derived);
    ctx.record(tx, event).await
}

fn check_name(name: &str) -> Result<&str> {
    let name = name.trim();
    let refuse = |code, message: &str| Err(Error::invalid("Token", "name", code, message));
    if name.is_empty() {
        return refuse(FieldCode::MissingField, "name must say what the token is for");
    }
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return refuse(FieldCode::Invalid, "name must be one line of at most 100 characters");
    }
    Ok(name)
}
