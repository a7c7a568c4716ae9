//! The device grant as the device sees it: asking for codes, then asking whether a person has decided.

use std::time::Duration;

use forge_auth::jose::Thumbprint;
use forge_auth::messages::{
    ClientAuthentication, DeviceAnswer, DeviceRequest, OAuthCode, OAuthError, TokenAnswer,
};
use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::oauth::device_codes::{DeviceCode, DeviceState, NewDeviceCode};
use forge_types::account::{Account, AccountRef};
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, GrantId};
use forge_types::{Error, Event, Result};

use super::clients::{OAuthClient, hold, recognise};
use super::failure::Fault;
use super::{ACCESS_LIFETIME, answer, is_by, task};
use crate::app::{App, key_fault};
use crate::context::RequestContext;
use crate::credentials::{NewToken, Parent, issue};
use crate::standing::Standing;
use crate::throttle::{self, Limit};

/// How long codes last.
pub const LIFETIME: Duration = Duration::from_secs(900);

const INTERVAL: i64 = 5;
const LONGEST_INTERVAL: i64 = 60;
/// What a slow network may take off an interval before the device counts as too fast: clients that hear of being too
/// fast twice give up.
const LENIENCY: Duration = Duration::from_secs(1);
const REQUESTS: Limit = Limit { name: "device.request", attempts: 100, window: Duration::from_secs(15 * 60) };
/// No vowels, so that no words come about, and nothing that looks like a digit (RFC 8628 §6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE_LENGTH: usize = 8;

/// Gives a device a code to keep and one to show.
///
/// # Errors
/// `invalid_client`, `unauthorized_client` if the client may not use the device flow, or `temporarily_unavailable`.
pub async fn begin(ctx: &RequestContext, request: &DeviceRequest) -> Result<DeviceAnswer, OAuthError> {
    begin_with(ctx, request).await.map_err(|Fault(error)| error)
}

async fn begin_with(ctx: &RequestContext, request: &DeviceRequest) -> Result<DeviceAnswer, Fault> {
    let mut tx = ctx.begin().await?;
    let client = recognise(ctx, &mut tx, &request.client).await?;
    if !client.allows_device {
        let message = "this client may not use the device flow";
        return Err(OAuthError::new(OAuthCode::UnauthorizedClient, message).into());
    }
    drop(tx);
    let asked = match &request.task {
        Some(task) => Some(task::ask(ctx, task).await?),
        None => None,
    };
    let mut tx = ctx.begin().await?;
    throttle::count(ctx, &mut tx, REQUESTS, &throttle::address(ctx)).await??;
    let device_code = Secret::new(ctx.app().random_text(43));
    let user_code = draw_user_code(ctx.app());
    let row = NewDeviceCode {
        device_hash: device_hashes(ctx.app(), &device_code)?[0],
        user_code_hash: user_code_hash(ctx.app(), &user_code)?,
        client_id: &client.client_id,
        scopes: &request.scopes,
        wants_refresh: request.wants_refresh,
        dpop_jkt: request.dpop_jkt.as_ref().map(Thumbprint::as_str),
        task: asked.as_ref().map(|asked| (asked.agent_id, asked.text.as_str(), asked.is_consent)),
        ip: ctx.info().ip.as_deref(),
        user_agent: ctx.info().user_agent.as_deref(),
        poll_interval: INTERVAL,
        expires_at: ctx.now().plus(LIFETIME),
    };
    forge_store::oauth::device_codes::insert(&mut tx, &row, ctx.now()).await?;
    tx.commit().await.map_err(Error::from)?;
    let mut page = ctx.settings().people_origin.clone();
    page.set_path("/login/device");
    Ok(DeviceAnswer {
        device_code,
        user_code: format!("{}-{}", &user_code[..4], &user_code[4..]),
        verification_uri: page.to_string(),
        expires_in: LIFETIME.as_secs(),
        interval: INTERVAL,
    })
}

/// Draws a code without bias.
fn draw_user_code(app: &App) -> String {
    let mut code = String::with_capacity(CODE_LENGTH);
    let mut buffer = [0_u8; 32];
    while code.len() < CODE_LENGTH {
        app.random.fill(&mut buffer);
        let usable = buffer.iter().filter(|byte| **byte < 240);
        let letters = usable.map(|byte| char::from(ALPHABET[usize::from(byte % 20)]));
        code.extend(letters.take(CODE_LENGTH - code.len()));
    }
    code
}

fn device_hashes(app: &App, code: &Secret) -> Result<Vec<[u8; 32]>> {
    app.keys.candidate_hashes("device code", code.expose().as_bytes()).map_err(key_fault)
}

/// Returns the hash of a code as a person types it: in any case, with or without punctuation.
pub(super) fn user_code_hash(app: &App, typed: &str) -> Result<[u8; 32]> {
    let letters: String =
        typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    app.keys.hash_for("user code", letters.as_bytes()).map_err(key_fault)
}

/// Answers a device that asks whether a person has decided; gives the token once.
pub(super) async fn exchange(
    ctx: &RequestContext,
    said: &ClientAuthentication,
    device_code: &Secret,
    subject_token: Option<&Secret>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    let mut tx = ctx.begin().await?;
    let client = recognise(ctx, &mut tx, said).await?;
    let mut found = None;
    for hash in device_hashes(ctx.app(), device_code)? {
        found = found.or(forge_store::oauth::device_codes::find_by_device_hash(&mut tx, &hash).await?);
    }
    let code =
        found.filter(|code| code.client_id == client.client_id).ok_or_else(OAuthError::invalid_grant)?;
    if !is_by(code.dpop_jkt.as_deref(), key) {
        return Err(OAuthError::invalid_grant().into());
    }
    if let Some(agent) = code.agent_id {
        // Nobody else hears how it stands; and the database is asked for that, which takes the connection.
        drop(tx);
        task::check_agent(ctx, agent, subject_token).await?;
        tx = ctx.begin().await?;
    }
    match code.state {
        DeviceState::Consumed => Err(OAuthError::invalid_grant().into()),
        _ if ctx.now() >= code.expires_at => {
            Err(OAuthError::new(OAuthCode::ExpiredToken, "the device code is over").into())
        }
        DeviceState::Denied => Err(OAuthError::new(OAuthCode::AccessDenied, "the person declined").into()),
        DeviceState::Pending => Err(wait(ctx, tx, &code).await?.into()),
        DeviceState::Approved => match (&code.grant_id, code.agent_id) {
            (Some(grant), Some(agent)) => give_task(ctx, tx, &code, (agent, grant), subject_token, key).await,
            _ => give(ctx, tx, &client, &code, key).await,
        },
    }
}

/// The interval grows when the device is too fast and never shrinks (RFC 8628 §3.5).
async fn wait(ctx: &RequestContext, mut tx: Tx, code: &DeviceCode) -> Result<OAuthError> {
    let now = ctx.now();
    let interval = Duration::from_secs(u64::try_from(code.poll_interval).unwrap_or_default());
    let is_too_fast = code.last_polled_at.is_some_and(|last| now.since(last) + LENIENCY < interval);
    let interval =
        if is_too_fast { (code.poll_interval + 5).min(LONGEST_INTERVAL) } else { code.poll_interval };
    forge_store::oauth::device_codes::update_poll(&mut tx, code.id, interval, now).await?;
    tx.commit().await?;
    let (error, words) = if is_too_fast {
        (OAuthCode::SlowDown, "the device asks too often")
    } else {
        (OAuthCode::AuthorizationPending, "the person has not decided yet")
    };
    Ok(OAuthError { interval: Some(interval), ..OAuthError::new(error, words) })
}

/// Gives a token for the task that was granted, and uses the code up: once the token is there, since until then the agent may
/// ask again.
async fn give_task(
    ctx: &RequestContext,
    tx: Tx,
    code: &DeviceCode,
    (agent, grant): (AccountId, &GrantId),
    subject_token: Option<&Secret>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    drop(tx);
    let given = task::give(ctx, agent, grant, subject_token, key).await?;
    let mut tx = ctx.begin().await?;
    if !forge_store::oauth::device_codes::consume(&mut tx, code.id).await? {
        return Err(OAuthError::invalid_grant().into());
    }
    tx.commit().await.map_err(Error::from)?;
    Ok(given)
}

async fn give(
    ctx: &RequestContext,
    mut tx: Tx,
    client: &OAuthClient,
    code: &DeviceCode,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    hold(&mut tx, client).await?;
    let (standing, account) = approver(&mut tx, code).await?;
    if !forge_store::oauth::device_codes::consume(&mut tx, code.id).await? {
        return Err(OAuthError::invalid_grant().into());
    }
    let ctx = ctx.speaking_for(AccountRef::from(&account));
    let parent = approving_credential(&ctx, &mut tx, &account, code).await?;
    let renewable_until = parent.as_ref().and_then(|parent| parent.expires_at);
    let family = ctx.app().random_id("fam_");
    let new = |kind| NewToken {
        scopes: Some(code.scopes.clone()),
        client: Some(&client.client_id),
        family: Some(&family),
        parent: parent.clone(),
        renewable_until,
        ..NewToken::new(account.id, kind, &client.name)
    };
    let key = key.map(Thumbprint::to_string);
    let refresh = if code.wants_refresh {
        let cnf_jkt = key.clone().filter(|_| client.is_public);
        let refresh = NewToken { cnf_jkt, ..new(CredentialKind::Refresh) };
        Some(issue(&ctx, &mut tx, &standing, refresh).await?)
    } else {
        None
    };
    let latest = ctx.now().plus(ACCESS_LIFETIME);
    let expires_at = code.wants_refresh.then_some(renewable_until.map_or(latest, |until| until.min(latest)));
    let access = NewToken { expires_at, cnf_jkt: key, ..new(CredentialKind::OAuth) };
    let access = issue(&ctx, &mut tx, &standing, access).await?;
    let event = Event::new("device.exchanged").with("client_id", client.client_id.as_str());
    ctx.record(&mut tx, event).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(answer(ctx.now(), access, refresh))
}

/// Returns who approved, if they still may act.
async fn approver(tx: &mut Tx, code: &DeviceCode) -> Result<(Standing, Account), Fault> {
    let Some(id) = code.account_id else { return Err(OAuthError::invalid_grant().into()) };
    let standing = Standing::of_account(tx, id).await?;
    let account = forge_store::accounts::find(tx, id).await?;
    let refusal = || OAuthError::new(OAuthCode::AccessDenied, "the person may not act any more");
    Ok(standing.zip(account).ok_or_else(refusal)?)
}

/// A token with which a code was approved limits what comes of it, and must still stand. The key it may be bound to is
/// not the device's.
async fn approving_credential(
    ctx: &RequestContext,
    tx: &mut Tx,
    account: &Account,
    code: &DeviceCode,
) -> Result<Option<Parent>, Fault> {
    let Some(id) = code.approver_credential_id else { return Ok(None) };
    let refusal = || OAuthError::new(OAuthCode::AccessDenied, "what this was approved with has ended");
    if !forge_store::credentials::hold(tx, id, ctx.now()).await? {
        return Err(refusal().into());
    }
    let found = forge_store::credentials::find(tx, account.id, id).await?;
    Ok(Some(Parent { cnf_jkt: None, cnf_x5t: None, ..Parent::from(&found.ok_or_else(refusal)?) }))
}
