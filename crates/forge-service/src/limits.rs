//! Rate limits: so many requests an hour for each account, or for each address when anonymous.
//!
//! Tokens of one account share its budget, so that minting tokens gains nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use forge_types::{Error, ErrorKind, Timestamp};

use crate::app::App;
use crate::context::RequestContext;
use crate::throttle;

const WINDOW: Duration = Duration::from_secs(3600);
/// The most callers that are counted at once; past it, windows that have ended are forgotten first.
const MAX_TRACKED: usize = 100_000;

/// What a request draws on, as GitHub names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// REST, but for search.
    Core,
    /// GraphQL.
    GraphQl,
    /// REST search.
    Search,
}

impl Resource {
    /// Returns GitHub's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::GraphQl => "graphql",
            Self::Search => "search",
        }
    }
}

/// How many requests an hour may be made.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// By an account.
    pub account_per_hour: u32,
    /// By an address that does not say who it is.
    pub anonymous_per_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { account_per_hour: 50_000, anonymous_per_hour: 5_000 }
    }
}

/// What is left of a budget.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// What it is for.
    pub resource: Resource,
    /// The whole budget.
    pub limit: u32,
    /// How much of it is used.
    pub used: u32,
    /// When it is whole again.
    pub reset: Timestamp,
}

/// The budgets of this process.
#[derive(Debug, Default)]
pub(crate) struct Budgets(Mutex<HashMap<(Resource, String), (Timestamp, u32)>>);

/// Draws one request from the caller's budget.
///
/// # Errors
/// Returns the exhausted budget; the request must be refused.
pub fn take(app: &App, ctx: &RequestContext, resource: Resource) -> Result<Quota, Quota> {
    draw(app, ctx, resource, 1)
}

/// Returns what is left of the caller's budget without drawing on it.
#[must_use]
pub fn peek(app: &App, ctx: &RequestContext, resource: Resource) -> Quota {
    draw(app, ctx, resource, 0).unwrap_or_else(|quota| quota)
}

/// Returns what is left of the caller's budget, for use cases and edges that hold nothing but the context.
#[must_use]
pub fn remaining(ctx: &RequestContext, resource: Resource) -> Quota {
    peek(ctx.app(), ctx, resource)
}

/// Draws `amount` more from the caller's budget, for a request that turns out to cost more than one.
///
/// # Errors
/// Returns the exhausted budget; the request must be refused.
pub fn charge(ctx: &RequestContext, resource: Resource, amount: u32) -> Result<Quota, Quota> {
    draw(ctx.app(), ctx, resource, amount)
}

fn draw(app: &App, ctx: &RequestContext, resource: Resource, amount: u32) -> Result<Quota, Quota> {
    let (who, limit) = match ctx.account_id() {
        Some(id) => (format!("account {id}"), app.settings.limits.account_per_hour),
        None => (throttle::address(ctx), app.settings.limits.anonymous_per_hour),
    };
    let now = ctx.now();
    let mut budgets = app.budgets.0.lock().unwrap_or_else(PoisonError::into_inner);
    if budgets.len() >= MAX_TRACKED {
        budgets.retain(|_, (start, _)| now.since(*start) < WINDOW);
    }
    let entry = budgets.entry((resource, who)).or_insert((now, 0));
    if now.since(entry.0) >= WINDOW {
        *entry = (now, 0);
    }
    let is_exhausted = entry.1.saturating_add(amount) > limit;
    if !is_exhausted {
        entry.1 += amount;
    }
    let quota = Quota { resource, limit, used: entry.1, reset: entry.0.plus(WINDOW) };
    if is_exhausted { Err(quota) } else { Ok(quota) }
}

/// Returns the error for an exhausted budget.
#[must_use]
pub fn exceeded(quota: &Quota) -> Error {
    let message = format!("API rate limit exceeded; it is whole again at {}", quota.reset);
    Error::new(ErrorKind::RateLimited(WINDOW), message)
}
