//! Clients: finding, recognising, registering and removing them.

use forge_auth::messages::{ClientAuthentication, OAuthError, check_registered};
use forge_auth::token::Secret;
use forge_store::oauth::clients::NewClient;
pub use forge_store::oauth::clients::OAuthClient;
use forge_store::{Conn, Tx};
use forge_types::{Action, Error, Event, FieldCode, Result};

use super::failure::Fault;
use crate::app::key_fault;
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::Site;

const PURPOSE: &str = "client secret";
const LONGEST_NAME: usize = 80;

/// What a new client is made of.
#[derive(Clone, Debug, Default)]
pub struct ClientRequest {
    /// What people will know it as.
    pub name: String,
    /// Where people learn about it.
    pub homepage: Option<String>,
    /// Whether it can keep a secret; it is then given one.
    pub is_confidential: bool,
    /// Where it may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Whether it may use the device flow.
    pub allows_device: bool,
}

/// Registers a client; the secret of a confidential one is in the answer and nowhere else.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `Invalid` for a field.
pub async fn register(
    ctx: &RequestContext,
    request: &ClientRequest,
) -> Result<(OAuthClient, Option<Secret>)> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    check(&mut tx, request).await?;
    let app = ctx.app();
    let secret = request.is_confidential.then(|| Secret::new(app.random_text(43)));
    let secret_hash = match &secret {
        Some(secret) => Some(app.keys.hash_for(PURPOSE, secret.expose().as_bytes()).map_err(key_fault)?),
        None => None,
    };
    let client_id = app.random_text(20);
    let row = NewClient {
        client_id: &client_id,
        name: request.name.trim(),
        homepage: request.homepage.as_deref(),
        secret_hash,
        redirect_uris: &request.redirect_uris,
        allows_device: request.allows_device,
        owner_id: ctx.account_id(),
    };
    let client = forge_store::oauth::clients::insert(&mut tx, &row, ctx.now()).await?;
    let event = Event::new("oauth_client.registered")
        .with("client_id", client.client_id.as_str())
        .with("name", client.name.as_str())
        .with("redirect_uris", client.redirect_uris.clone());
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok((client, secret))
}

/// Names are ASCII, so that none looks like another, and no two are alike.
async fn check(conn: &mut Conn, request: &ClientRequest) -> Result<()> {
    let refuse =
        |field, message: String| Err(Error::invalid("OAuthClient", field, FieldCode::Invalid, message));
    let name = request.name.trim();
    let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if name.is_empty() || name.len() > LONGEST_NAME || !is_plain {
        return refuse("name", "name must have 1 to 80 plain characters".to_owned());
    }
    let known = forge_store::oauth::clients::list(conn).await?;
    let alike =
        |other: &OAuthClient| other.name.replace(' ', "").eq_ignore_ascii_case(&name.replace(' ', ""));
    if known.iter().any(alike) {
        return Err(Error::invalid("OAuthClient", "name", FieldCode::AlreadyExists, "name is taken"));
    }
    if request.homepage.as_deref().is_some_and(|url| check_registered(url).is_err()) {
        return refuse("homepage", "homepage must be an https URL".to_owned());
    }
    for uri in &request.redirect_uris {
        if let Err(problem) = check_registered(uri) {
            return refuse("redirect_uris", format!("`{uri}` is {problem}"));
        }
    }
    if request.redirect_uris.is_empty() && !request.allows_device {
        return refuse("redirect_uris", "a client needs a redirect URI or the device flow".to_owned());
    }
    Ok(())
}

/// Returns all clients.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge.
pub async fn list(ctx: &RequestContext) -> Result<Vec<OAuthClient>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    Ok(forge_store::oauth::clients::list(&mut conn).await?)
}

/// Removes a client and revokes what it holds.
///
/// # Errors
/// `NotFound` if there is no such client or it came with the forge.
pub async fn remove(ctx: &RequestContext, client_id: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    if !forge_store::oauth::clients::delete(&mut tx, client_id).await? {
        return Err(Error::not_found());
    }
    let reason = "the client was removed";
    let revoked = forge_store::credentials::revoke_client(&mut tx, client_id, reason, ctx.now()).await?;
    let event = Event::new("oauth_client.removed").with("client_id", client_id).with("revoked", revoked);
    ctx.record(&mut tx, event).await?;
    Ok(tx.commit().await?)
}

/// Returns the client that has proved who it is, as far as it can: a public client by its name alone. The secret of
/// the client that comes with the forge is published, so it is not looked at.
pub(super) async fn recognise(
    ctx: &RequestContext,
    conn: &mut Conn,
    said: &ClientAuthentication,
) -> std::result::Result<OAuthClient, Fault> {
    let client_id = said.client_id.as_deref().ok_or_else(OAuthError::invalid_client)?;
    let found = forge_store::oauth::clients::find(conn, client_id).await?;
    let client = found.ok_or_else(OAuthError::invalid_client)?;
    let is_recognised = match (&client.secret_hash, &said.secret) {
        _ if said.assertion.is_some() => false,
        _ if client.is_builtin => true,
        (None, None) => true,
        (Some(stored), Some(secret)) => has_secret(ctx, stored, secret)?,
        (None, Some(_)) | (Some(_), None) => false,
    };
    if is_recognised { Ok(client) } else { Err(OAuthError::invalid_client().into()) }
}

/// Keeps a client there until the transaction ends, so that nothing is issued to one that is being removed.
pub(super) async fn hold(tx: &mut Tx, client: &OAuthClient) -> std::result::Result<(), Fault> {
    let is_there = forge_store::oauth::clients::hold(tx, client.id).await?;
    if is_there { Ok(()) } else { Err(OAuthError::invalid_client().into()) }
}

fn has_secret(ctx: &RequestContext, stored: &[u8], secret: &Secret) -> Result<bool> {
    let hashes = ctx.app().keys.candidate_hashes(PURPOSE, secret.expose().as_bytes()).map_err(key_fault)?;
    // The hash is keyed, so that how far two of them agree tells nothing.
    Ok(hashes.iter().any(|hash| hash.as_slice() == stored))
}
