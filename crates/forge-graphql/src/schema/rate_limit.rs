//! What a query costs and what the caller has left.

use async_graphql::SimpleObject;
use forge_service::limits::{self, Resource};

use super::scalar::DateTime;
use crate::limits::Cost;

/// Represents the client's rate limit.
#[derive(SimpleObject)]
pub(crate) struct RateLimit {
    /// The point cost for the current query counting against the rate limit.
    cost: i32,
    /// The maximum number of points the client is permitted to consume in a 60 minute window.
    limit: i32,
    /// The maximum number of nodes this query may return
    node_count: i32,
    /// The number of points remaining in the current rate limit window.
    remaining: i32,
    /// The time at which the current rate limit window resets in UTC epoch seconds.
    reset_at: DateTime,
    /// The number of points used in the current rate limit window.
    used: i32,
}

impl RateLimit {
    /// Returns what is left after a query of this cost.
    pub(crate) fn after(ctx: &forge_service::RequestContext, cost: Cost) -> Self {
        let quota = limits::remaining(ctx, Resource::GraphQl);
        let int = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            cost: i32::try_from(cost.points).unwrap_or(i32::MAX),
            limit: int(quota.limit),
            node_count: i32::try_from(cost.nodes).unwrap_or(i32::MAX),
            remaining: int(quota.limit.saturating_sub(quota.used)),
            reset_at: DateTime(quota.reset),
            used: int(quota.used),
        }
    }
}
