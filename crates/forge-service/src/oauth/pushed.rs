//! Pushed authorization requests (RFC 9126): a client says what it asks for to the forge itself, and the browser carries only
//! what stands for it. What an agent asks to be granted comes no other way: who asks has to be proved.

use std::time::Duration;

use forge_auth::messages::{OAuthCode, OAuthError, PushedAnswer, PushedRequest, redirect_matches};
use forge_auth::token::Secret;
use forge_store::oauth::pushed_requests::PushedRequest as Stored;
use forge_store::{Conn, Tx};
use forge_types::{Error, Result};

use super::clients::recognise;
use super::failure::Fault;
use super::task;
use crate::app::{App, key_fault};
use crate::context::RequestContext;
use crate::throttle::{self, Limit};

/// How long a person has to sign in and decide; the most that RFC 9126 §2.2 names.
pub const LIFETIME: Duration = Duration::from_secs(600);

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
const REQUESTS: Limit = Limit { name: "par.request", attempts: 100, window: Duration::from_secs(15 * 60) };

/// Keeps a request until a person has decided, and returns what stands for it.
///
/// # Errors
/// `invalid_client`, `invalid_request`, `invalid_authorization_details`, or `temporarily_unavailable`.
pub async fn push(ctx: &RequestContext, request: &PushedRequest) -> Result<PushedAnswer, OAuthError> {
    push_with(ctx, request).await.map_err(|Fault(error)| error)
}

async fn push_with(ctx: &RequestContext, request: &PushedRequest) -> Result<PushedAnswer, Fault> {
    let client = recognise(ctx, &mut ctx.read().await?, &request.client).await?;
    if !client.redirect_uris.iter().any(|registered| redirect_matches(registered, &request.redirect_uri)) {
        let message = "`redirect_uri` is not registered for this application";
        return Err(OAuthError::new(OAuthCode::InvalidRequest, message).into());
    }
    let asked = match &request.task {
        Some(asked) => Some(task::ask(ctx, asked).await?),
        None => None,
    };
    let reference = Secret::new(format!("{PREFIX}{}", ctx.app().random_text(43)));
    let is_consent = asked.as_ref().map(|asked| asked.is_consent);
    let (agent_id, authorization_details) = asked.map(|asked| (asked.agent_id, asked.text)).unzip();
    let row = Stored {
        client_id: client.client_id,
        parameters: request.parameters.clone(),
        authorization_details,
        agent_id,
        is_consent,
    };
    let mut tx = ctx.begin().await?;
    throttle::count(ctx, &mut tx, REQUESTS, &throttle::address(ctx)).await??;
    let hash = hashes(ctx.app(), reference.expose())?[0];
    let until = ctx.now().plus(LIFETIME);
    forge_store::oauth::pushed_requests::insert(&mut tx, &hash, &row, ctx.now(), until).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(PushedAnswer { request_uri: reference, expires_in: LIFETIME.as_secs() })
}

fn hashes(app: &App, reference: &str) -> Result<Vec<[u8; 32]>> {
    app.keys.candidate_hashes("pushed request", reference.as_bytes()).map_err(key_fault)
}

/// Returns the request that a reference stands for, with the hash it is kept under.
pub(super) async fn find(
    ctx: &RequestContext,
    conn: &mut Conn,
    reference: &str,
) -> Result<Option<([u8; 32], Stored)>> {
    for hash in hashes(ctx.app(), reference)? {
        if let Some(found) = forge_store::oauth::pushed_requests::find(conn, &hash, ctx.now()).await? {
            return Ok(Some((hash, found)));
        }
    }
    Ok(None)
}

/// Uses a request up: a decision is made once.
pub(super) async fn consume(tx: &mut Tx, hash: &[u8; 32]) -> Result<()> {
    if forge_store::oauth::pushed_requests::consume(tx, hash).await? {
        return Ok(());
    }
    Err(Error::malformed("this request was decided already"))
}
