//! Is the audit log what it was when it was sealed and signed?

use std::collections::VecDeque;
use std::sync::Arc;

use forge_auth::signing::PublicKey;
use forge_types::id::AuditEventId;
use forge_types::{Action, Error, ErrorKind, Event, Result};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::audit::checkpoint::{self, Published};
use crate::audit::line::examined;
use crate::audit::verify::{Chain, Link, Report};
use crate::context::RequestContext;
use crate::target::Site;

/// How many places of the chain are read at once, and how many such parts at a time.
const PART: i64 = 2500;
const AT_A_TIME: usize = 4;

/// Checks every event of the log, in the order of its chain, and compares it with checkpoints: those of the database, and
/// those that somebody kept outside. `keys` are the keys they must be signed with, the forge's own if none are given.
///
/// # Errors
/// `Forbidden` unless asked by an administrator; `Unavailable` if the database is.
pub async fn verify_audit(
    ctx: &RequestContext,
    outside: Vec<Published>,
    keys: Option<Vec<PublicKey>>,
) -> Result<Report> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAuditRead).await?;
    let app = ctx.app();
    let keys = match keys {
        Some(keys) => keys,
        None => checkpoint::public_keys(app)?,
    };
    let mut checkpoints = outside;
    checkpoints.extend(own_checkpoints(app).await?);
    let head = forge_store::audit::find_head(&mut conn).await?;
    let last = forge_store::audit::find_last_position(&mut conn).await?;
    let mut chain = Chain::new(checkpoints, &keys);
    if let Some(head) = &head {
        chain.name(&head.chain_id);
    }
    check_links(app, &mut chain, last).await?;
    let mut end = head.map_or(0, |head| head.position);
    if end < last {
        // More may have been sealed between the two looks.
        end = forge_store::audit::find_head(&mut conn).await?.map_or(0, |head| head.position).min(last);
    }
    if end != last {
        chain.find(format!("the chain is said to end at position {end}, and its last link is at {last}"));
    }
    let mut after = AuditEventId(0);
    loop {
        let waiting = forge_store::audit::list_unsealed(&mut conn, after, PART).await?;
        let Some(event) = waiting.last() else { break };
        after = event.id;
        waiting.iter().for_each(|event| chain.unsealed(&examined(event)));
    }
    Ok(chain.finish())
}

async fn own_checkpoints(app: &Arc<App>) -> Result<Vec<Published>> {
    let mut conn = app.db.read().await?;
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let some = forge_store::audit::list_checkpoints(&mut conn, after, PART).await?;
        let Some(last) = some.last() else { return Ok(all) };
        after = last.id;
        all.extend(some.iter().map(Published::from));
    }
}

/// Reads and hashes some parts ahead; links them in order.
async fn check_links(app: &Arc<App>, chain: &mut Chain, last: i64) -> Result<()> {
    let mut parts = (0..).map(|part| part * PART).take_while(|from| *from < last);
    let mut ahead: VecDeque<JoinHandle<Result<Vec<Link>>>> = VecDeque::new();
    loop {
        while ahead.len() < AT_A_TIME {
            let Some(from) = parts.next() else { break };
            ahead.push_back(tokio::spawn(part(Arc::clone(app), from, (from + PART).min(last))));
        }
        let Some(next) = ahead.pop_front() else { return Ok(()) };
        let links = next.await.map_err(Error::internal)??;
        links.iter().for_each(|link| chain.link(link));
    }
}

async fn part(app: Arc<App>, from: i64, to: i64) -> Result<Vec<Link>> {
    let mut conn = app.db.read().await?;
    let events = forge_store::audit::list_chain(&mut conn, from, to).await?;
    drop(conn);
    let linked = |event: &forge_store::audit::AuditEvent| Link {
        position: event.position.unwrap_or_default(),
        hash: event.hash.clone().unwrap_or_default(),
        event: examined(event),
    };
    Ok(events.iter().map(linked).collect())
}

/// Empties the personal fields of everything an account did and of what was done about it; returns of how many events.
///
/// # Errors
/// `NotFound` if there is no such account; `Forbidden` unless asked by an administrator.
pub async fn erase_audit(ctx: &RequestContext, login: &str) -> Result<u64> {
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let found = forge_store::accounts::find_by_login(&mut tx, login).await?;
    let account =
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no account `{login}`")))?;
    let erased = forge_store::audit::erase_personal(&mut tx, account.id).await?;
    let event = Event::new("audit.personal_erased").subject(account.id).with("events", erased);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(erased)
}
