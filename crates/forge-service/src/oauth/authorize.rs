//! The authorization endpoint: a client sends a person here, who consents or declines, and is sent back.
//!
//! INVARIANT: nobody is sent anywhere before the client is known and the address is one of its own.

use std::time::Duration;

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{
    AuthorizationRequest, OAuthCode, OAuthError, Parameters, redirect_matches, with_parameters,
};
use forge_auth::token::Secret;
use forge_store::oauth::authorization_codes::NewAuthorizationCode;
use forge_store::oauth::pushed_requests::PushedRequest;
use forge_types::{Action, Error, Event, Result, Scopes};
use url::Url;

use super::clients::OAuthClient;
use super::task::{self, AskedTask};
use super::{issuer, pushed};
use crate::app::{App, key_fault};
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::OwnAccount;

/// How long a code can be exchanged.
pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// What a person is asked.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The name of the client.
    pub client_name: String,
    /// Where people learn about it.
    pub client_homepage: Option<String>,
    /// What it asks for.
    pub scopes: Scopes,
    /// The task that an agent asks for, in place of access to the person's account.
    pub task: Option<AskedTask>,
    /// Where the person is sent afterwards.
    pub redirect_uri: Url,
}

/// Why a person is not asked.
#[derive(Debug)]
pub enum Refusal {
    /// The client or the address is wrong: only the person may be told.
    Told(Error),
    /// The client is told, by sending the person back.
    SentBack(Box<Url>),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

struct Asked {
    client: OAuthClient,
    redirect_uri: String,
    request: AuthorizationRequest,
    /// What a pushed request is kept under.
    pushed: Option<[u8; 32]>,
    task: Option<AskedTask>,
}

/// Checks what a client asks for with `query`, and returns what to ask the person.
///
/// # Errors
/// A refusal to tell or to send back.
pub async fn review(ctx: &RequestContext, query: &str) -> Result<Consent, Refusal> {
    let asked = read(ctx, query).await?;
    let redirect_uri = Url::parse(&asked.redirect_uri).map_err(Error::internal)?;
    Ok(Consent {
        client_name: asked.client.name,
        client_homepage: asked.client.homepage,
        scopes: asked.request.scopes,
        task: asked.task,
        redirect_uri,
    })
}

/// Notes the person's decision on `query` and returns where to send them.
///
/// # Errors
/// A refusal to tell or to send back.
pub async fn decide(ctx: &RequestContext, query: &str, is_approved: bool) -> Result<Url, Refusal> {
    let asked = read(ctx, query).await?;
    if is_approved {
        return approve(ctx, &asked).await.map_err(Refusal::Told);
    }
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, OwnAccount, Action::ClientAuthorize).await?;
    if let Some(hash) = &asked.pushed {
        pushed::consume(&mut tx, hash).await?;
    }
    let event = Event::new("client.declined").with("client_id", asked.client.client_id.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    let error = OAuthError::new(OAuthCode::AccessDenied, "the person declined");
    Ok(sent_back(ctx, &asked.redirect_uri, Some(&asked.request.state), &error)?)
}

async fn approve(ctx: &RequestContext, asked: &Asked) -> Result<Url> {
    let (app, now) = (ctx.app(), ctx.now());
    let code = Secret::new(app.random_text(43));
    let family = app.random_id("fam_");
    let mut tx = ctx.begin().await?;
    let account = ctx.authorize(&mut tx, OwnAccount, Action::ClientAuthorize).await?;
    if let Some(hash) = &asked.pushed {
        pushed::consume(&mut tx, hash).await?;
    }
    let grant = match &asked.task {
        Some(task) => Some((task.agent.id, task::grant(ctx, &mut tx, task).await?)),
        None => {
            let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
            None
        }
    };
    let (client_id, scopes) = (asked.client.client_id.as_str(), &asked.request.scopes);
    let row = NewAuthorizationCode {
        hash: hashes(app, &code)?[0],
        client_id,
        account_id: account.id,
        redirect_uri: &asked.redirect_uri,
        scopes,
        challenge: &asked.request.challenge,
        dpop_jkt: asked.request.dpop_jkt.as_ref().map(Thumbprint::as_str),
        task: grant.as_ref().map(|(agent, grant)| (*agent, grant)),
        family: &family,
        expires_at: now.plus(CODE_LIFETIME),
    };
    forge_store::oauth::authorization_codes::insert(&mut tx, &row, now).await?;
    if grant.is_none() {
        forge_store::oauth::consents::upsert(&mut tx, account.id, client_id, scopes, now).await?;
    }
    let event = Event::new("client.authorized")
        .with("client_id", client_id)
        .with("scopes", scopes.to_string())
        .with("grant_id", grant.as_ref().map(|(_, grant)| grant.0.as_str()))
        .with("redirect_uri", asked.redirect_uri.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    let parameters = [("code", code.expose()), ("state", &asked.request.state), ("iss", &issuer(ctx))];
    with_parameters(&asked.redirect_uri, &parameters)
        .ok_or_else(|| Error::internal("the redirect URI is no URL"))
}

/// Returns the hashes under which a code may be kept.
pub(super) fn hashes(app: &App, code: &Secret) -> Result<Vec<[u8; 32]>> {
    app.keys.candidate_hashes("authorization code", code.expose().as_bytes()).map_err(key_fault)
}

async fn read(ctx: &RequestContext, query: &str) -> Result<Asked, Refusal> {
    let told = |words: &str| Refusal::Told(Error::malformed(words));
    let mut parameters = Parameters::from_form(query).map_err(|error| told(&error.description))?;
    let client_id = parameters.find("client_id").ok_or_else(|| told("`client_id` is missing"))?.to_owned();
    let mut conn = ctx.read().await?;
    let stored = match parameters.find("request_uri") {
        Some(reference) => {
            let found = pushed::find(ctx, &mut conn, reference).await?;
            let found = found.filter(|(_, stored)| stored.client_id == client_id);
            Some(found.ok_or_else(|| told("this request is over, or another application's"))?)
        }
        None => None,
    };
    if let Some((_, stored)) = &stored {
        parameters = Parameters::from_form(&stored.parameters).map_err(|error| told(&error.description))?;
    }
    let found = forge_store::oauth::clients::find(&mut conn, &client_id).await.map_err(Error::from)?;
    let client = found.ok_or_else(|| told("no application with this `client_id` is registered here"))?;
    let redirect_uri =
        parameters.find("redirect_uri").ok_or_else(|| told("`redirect_uri` is missing"))?.to_owned();
    if !client.redirect_uris.iter().any(|registered| redirect_matches(registered, &redirect_uri)) {
        return Err(told("`redirect_uri` is not registered for this application"));
    }
    let task = match &stored {
        Some((
            _,
            PushedRequest { agent_id: Some(agent_id), authorization_details: Some(text), is_consent, .. },
        )) => Some(
            task::load(
                ctx,
                &mut conn,
                &task::Asked {
                    agent_id: *agent_id,
                    text: text.clone(),
                    is_consent: is_consent.unwrap_or_default(),
                },
            )
            .await?,
        ),
        _ => None,
    };
    let pushed = stored.map(|(hash, _)| hash);
    let read = match parameters.find("authorization_details") {
        // Who asks has to be proved, and what is asked must not pass through hands that could change it.
        Some(_) => Err(OAuthError::invalid_request("a task is asked for by a pushed request (RFC 9126)")),
        None => AuthorizationRequest::read(&parameters),
    };
    match read {
        Ok(request) => Ok(Asked { client, redirect_uri, request, pushed, task }),
        Err(error) => {
            let url = sent_back(ctx, &redirect_uri, parameters.find("state"), &error)?;
            Err(Refusal::SentBack(Box::new(url)))
        }
    }
}

/// The issuer is named in errors too, so that no other server's error is taken for ours (RFC 9207).
fn sent_back(ctx: &RequestContext, uri: &str, state: Option<&str>, error: &OAuthError) -> Result<Url> {
    let issuer = issuer(ctx);
    let mut parameters =
        vec![("error", error.code.as_str()), ("error_description", error.description.as_str())];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", &issuer));
    with_parameters(uri, &parameters).ok_or_else(|| Error::internal("the redirect URI is no URL"))
}
