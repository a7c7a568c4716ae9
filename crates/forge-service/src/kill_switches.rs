//! Stopping agents at once, and letting them go on.

use forge_auth::policy::{KillSwitchFacts, Resource, stop_message, stopping};
use forge_store::{Conn, Tx};
use forge_types::account::AccountKind;
use forge_types::id::{GrantId, KillSwitchId};
use forge_types::kill_switch::{KillSwitch, Stop, StopScope};
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result, name};

use crate::agents::AgentTarget;
use crate::context::RequestContext;
use crate::grants::GrantTarget;
use crate::organizations::OrganizationTarget;
use crate::reason;
use crate::standing::Standing;
use crate::target::{Facts, Ids, OwnAccount, Site, Target};

/// Stops what the scope names: `instance`, `org:LOGIN`, `owner:LOGIN`, `agent:LOGIN`, `grant:ID` or `task:TASK`. Once this
/// returns, nothing that it stops moves a ref, on no node; pushes under way end with that reason.
///
/// # Errors
/// `Invalid` for a scope or reason that cannot be read; `NotFound` or `Forbidden` unless the caller may end what it stops.
pub async fn set(ctx: &RequestContext, scope: &str, reason: &str) -> Result<KillSwitch> {
    let reason = reason::check("KillSwitch", reason)?;
    let mut tx = ctx.begin().await?;
    let scope = named(ctx, &mut tx, scope).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let id = KillSwitchId(ctx.app().random_id(KillSwitchId::PREFIX));
    forge_store::kill_switches::insert(&mut tx, &id, &scope, reason, ctx.account()?.id, ctx.now()).await?;
    let made = forge_store::kill_switches::find(&mut tx, &id).await?;
    let made = made.ok_or_else(|| Error::internal("a kill switch that was just set is gone"))?;
    ctx.record(&mut tx, event("kill_switch.set", &made)).await?;
    tx.commit().await?;
    ctx.app().stops.announce();
    Ok(made)
}

/// Finds what a scope names, and decides whether the caller may stop it.
async fn named(ctx: &RequestContext, tx: &mut Tx, scope: &str) -> Result<StopScope> {
    let unreadable = || {
        let message =
            "scope is `instance`, `org:LOGIN`, `owner:LOGIN`, `agent:LOGIN`, `grant:ID` or `task:TASK`";
        Error::invalid("KillSwitch", "scope", FieldCode::Invalid, message)
    };
    if scope == "instance" {
        ctx.authorize(tx, Site, Action::KillSwitchSet).await?;
        return Ok(StopScope::Instance);
    }
    let (kind, what) = scope.split_once(':').filter(|(_, what)| !what.is_empty()).ok_or_else(unreadable)?;
    Ok(match kind {
        "org" => {
            let found = ctx.authorize(tx, OrganizationTarget::Login(what), Action::KillSwitchSet).await?;
            StopScope::Organization(found.organization.account.id)
        }
        "agent" => {
            let found = ctx.authorize(tx, AgentTarget(what), Action::KillSwitchSet).await?;
            StopScope::Agent(found.account.id)
        }
        "grant" => {
            let id = GrantId(what.to_owned());
            StopScope::Grant(ctx.authorize(tx, GrantTarget(&id), Action::KillSwitchSet).await?.grant.id)
        }
        "task" => {
            let own = ctx.authorize(tx, OwnAccount, Action::KillSwitchSet).await?;
            StopScope::Task(own.id, what.to_owned())
        }
        "owner" if is_callers(ctx, what) => {
            StopScope::Owner(ctx.authorize(tx, OwnAccount, Action::KillSwitchSet).await?.id)
        }
        "owner" => {
            ctx.authorize(tx, Site, Action::KillSwitchSet).await?;
            let found = forge_store::accounts::find_by_login(tx, what).await?;
            let found = found.filter(|account| account.kind == AccountKind::Human);
            StopScope::Owner(found.ok_or_else(Error::not_found)?.id)
        }
        _ => return Err(unreadable()),
    })
}

fn is_callers(ctx: &RequestContext, login: &str) -> bool {
    ctx.account().is_ok_and(|account| name::key(&account.login) == name::key(login))
}

/// Returns a page of the live kill switches that the caller set; a site administrator sees all.
///
/// # Errors
/// `Unauthenticated` when anonymous.
pub async fn list(ctx: &RequestContext, page: PageRequest) -> Result<Page<KillSwitch>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, Action::KillSwitchList).await?;
    let setter = (!ctx.may(&Site, Action::SiteAuditRead)).then_some(own.id);
    Ok(forge_store::kill_switches::list(&mut conn, setter, page).await?)
}

/// Lets what was stopped go on. Lifting one that was lifted changes nothing.
///
/// # Errors
/// `NotFound` unless the caller set it or administers the forge.
pub async fn lift(ctx: &RequestContext, id: &KillSwitchId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let found = ctx.authorize(&mut tx, KillSwitchTarget(id), Action::KillSwitchLift).await?;
    if !forge_store::kill_switches::lift(&mut tx, id, ctx.account()?.id, ctx.now()).await? {
        return Ok(());
    }
    ctx.record(&mut tx, event("kill_switch.lifted", &found)).await?;
    Ok(tx.commit().await?)
}

/// The kill switch with this id.
struct KillSwitchTarget<'a>(&'a KillSwitchId);

impl Target for KillSwitchTarget<'_> {
    type Found = KillSwitch;

    async fn load(self, _: &RequestContext, conn: &mut Conn) -> Result<Option<KillSwitch>> {
        Ok(forge_store::kill_switches::find(conn, self.0).await?)
    }
}

impl Facts for KillSwitch {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::KillSwitch(KillSwitchFacts { set_by: self.set_by.id })
    }

    fn ids(&self) -> Ids {
        Ids::default()
    }
}

/// Returns what stops the caller from changing the resource, as it is told; nothing if it may go on. Until the transaction
/// ends no further kill switch is set.
pub(crate) async fn stopped(ctx: &RequestContext, tx: &mut Tx, found: &impl Facts) -> Result<Option<String>> {
    if !is_agent(ctx) {
        return Ok(None);
    }
    let stops = forge_store::kill_switches::hold_live(tx).await?;
    Ok(told(ctx, found, &stops))
}

/// Returns once something stops the caller from changing the resource, with what it is told; for people never.
pub(crate) async fn until_stopped(ctx: &RequestContext, found: &impl Facts) -> String {
    if !is_agent(ctx) {
        return std::future::pending().await;
    }
    let mut news = ctx.app().stops.listen();
    loop {
        news.wait().await;
        let look =
            async { Ok::<_, Error>(forge_store::kill_switches::list_live(&mut ctx.read().await?).await?) };
        match look.await {
            Ok(stops) => {
                if let Some(reason) = told(ctx, found, &stops) {
                    return reason;
                }
            }
            // The transaction at the end asks again, and fails if it cannot.
            Err(error) => tracing::warn!(%error, "kill switches could not be read"),
        }
    }
}

fn is_agent(ctx: &RequestContext) -> bool {
    ctx.caller().account.as_ref().is_some_and(|account| account.kind == AccountKind::Agent)
}

fn told(ctx: &RequestContext, found: &impl Facts, stops: &[Stop]) -> Option<String> {
    let principal = ctx.caller().subject.principal()?;
    stopping(principal, &found.resource(ctx), stops).map(stop_message)
}

fn event(name: &'static str, switch: &KillSwitch) -> Event {
    Event::new(name)
        .with("kill_switch_id", switch.id.0.as_str())
        .with("scope", switch.scope_text())
        .with("reason", switch.reason.as_str())
}
