//! The device grant as a person sees it: typing the code, reading who asks for what, and deciding.

use std::time::Duration;

use forge_store::oauth::device_codes::DeviceCode;
use forge_types::{Action, Error, ErrorKind, Event, FieldCode, Result, Scopes, Timestamp};

use super::device::user_code_hash;
use super::task::{self, Asked, AskedTask};
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::OwnAccount;
use crate::throttle::{self, Limit};

/// With five attempts a guess succeeds once in 2^32 (RFC 8628 §5.1).
const WRONG_BY_ACCOUNT: Limit =
    Limit { name: "device.account", attempts: 5, window: Duration::from_secs(15 * 60) };
const WRONG_BY_ADDRESS: Limit =
    Limit { name: "device.address", attempts: 20, window: Duration::from_secs(15 * 60) };
/// However many accounts and addresses a guesser has.
const WRONG_BY_ANYONE: Limit =
    Limit { name: "device.anyone", attempts: 500, window: Duration::from_secs(15 * 60) };

/// Who asks for what, from where and since when.
#[derive(Clone, Debug)]
pub struct DeviceDetails {
    /// The name of the client.
    pub client_name: String,
    /// Where people learn about it.
    pub client_homepage: Option<String>,
    /// What it asks for.
    pub scopes: Scopes,
    /// Whether what it gets can be renewed.
    pub wants_refresh: bool,
    /// The task that an agent asks for, in place of access to the person's account.
    pub task: Option<AskedTask>,
    /// The address the device asked from.
    pub ip: Option<String>,
    /// The program the device says it is.
    pub user_agent: Option<String>,
    /// When it asked.
    pub created_at: Timestamp,
}

/// Returns who waits with the code that the caller typed.
///
/// # Errors
/// `Forbidden` for agents; `Invalid` for a wrong code; `RateLimited` after too many of them.
pub async fn details(ctx: &RequestContext, typed: &str) -> Result<DeviceDetails> {
    let code = find(ctx, typed).await?;
    describe(ctx, &code).await
}

/// Approves or declines.
///
/// # Errors
/// As [`details`], and `Invalid` if the device asks for more than the token has with which this is decided.
pub async fn decide(ctx: &RequestContext, typed: &str, is_approved: bool) -> Result<DeviceDetails> {
    let code = find(ctx, typed).await?;
    let details = describe(ctx, &code).await?;
    let mut tx = ctx.begin().await?;
    let account = ctx.authorize(&mut tx, OwnAccount, Action::DeviceDecide).await?;
    let grant = match details.task.as_ref().filter(|_| is_approved) {
        Some(task) => Some(task::grant(ctx, &mut tx, task).await?),
        None => None,
    };
    if grant.is_none() {
        let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    }
    if is_approved {
        check_scopes(ctx, &code.scopes)?;
    }
    let credential = ctx.caller().credential.as_ref().map(|credential| credential.id);
    let now = ctx.now();
    let is_first =
        forge_store::oauth::device_codes::decide(&mut tx, code.id, is_approved, account.id, credential, now)
            .await?;
    if !is_first {
        return Err(wrong_code());
    }
    if let Some(grant) = &grant {
        forge_store::oauth::device_codes::set_grant(&mut tx, code.id, grant).await?;
    }
    let event = Event::new(if is_approved { "device.approved" } else { "device.declined" })
        .with("client_id", code.client_id.as_str())
        .with("scopes", code.scopes.to_string())
        .with("grant_id", grant.as_ref().map(|grant| grant.0.as_str()))
        .with("device_ip", code.ip.as_deref().unwrap_or_default());
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(details)
}

/// Every attempt is counted; the count of a right one is not kept.
async fn find(ctx: &RequestContext, typed: &str) -> Result<DeviceCode> {
    let mut tx = ctx.begin().await?;
    let account = ctx.authorize(&mut tx, OwnAccount, Action::DeviceDecide).await?;
    let by_account = throttle::count(ctx, &mut tx, WRONG_BY_ACCOUNT, &account.id.to_string()).await?;
    let by_address = throttle::count(ctx, &mut tx, WRONG_BY_ADDRESS, &throttle::address(ctx)).await?;
    let by_anyone = throttle::count(ctx, &mut tx, WRONG_BY_ANYONE, "").await?;
    let is_last = matches!(by_account, Ok(seen) if seen == WRONG_BY_ACCOUNT.attempts);
    by_account.and(by_address).and(by_anyone)?;
    let hash = user_code_hash(ctx.app(), typed)?;
    let found = forge_store::oauth::device_codes::find_pending(&mut tx, &hash, ctx.now()).await?;
    if let Some(code) = found {
        return Ok(code);
    }
    ctx.record(&mut tx, Event::new("device.mistyped").with("is_locked", is_last)).await?;
    tx.commit().await?;
    Err(wrong_code())
}

async fn describe(ctx: &RequestContext, code: &DeviceCode) -> Result<DeviceDetails> {
    let mut conn = ctx.read().await?;
    let client = forge_store::oauth::clients::find(&mut conn, &code.client_id).await?;
    let client = client.ok_or_else(wrong_code)?;
    let task = match (code.agent_id, &code.authorization_details) {
        (Some(agent_id), Some(text)) => Some(
            task::load(ctx, &mut conn, &Asked { agent_id, text: text.clone(), is_consent: code.is_consent })
                .await?,
        ),
        _ => None,
    };
    Ok(DeviceDetails {
        client_name: client.name,
        client_homepage: client.homepage,
        scopes: code.scopes.clone(),
        wants_refresh: code.wants_refresh,
        task,
        ip: code.ip.clone(),
        user_agent: code.user_agent.clone(),
        created_at: code.created_at,
    })
}

/// Deciding with a token gives no more than the token itself could create.
fn check_scopes(ctx: &RequestContext, asked: &Scopes) -> Result<()> {
    let limit = ctx.caller().credential.as_ref().and_then(|credential| credential.scopes.as_ref());
    if limit.is_none_or(|limit| limit.includes(asked)) {
        return Ok(());
    }
    let message = "the device asks for more than your token has; approve it in a browser";
    Err(Error::new(ErrorKind::Forbidden, message))
}

fn wrong_code() -> Error {
    Error::invalid("DeviceCode", "user_code", FieldCode::Invalid, "this code is wrong or over")
}
