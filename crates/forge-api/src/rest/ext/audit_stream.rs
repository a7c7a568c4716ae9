//! Following the audit log: server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), one for each
//! event of the log in the order of its chain. The id of each is its position; who comes back with `Last-Event-ID` misses none.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use forge_service::RequestContext;
use forge_service::audit::stream::{self, OpenStream};
use forge_service::audit_log::{AuditEvent, AuditQuery};
use forge_types::{Error, FieldCode, Result};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::audit_events::{Filters, event};
use crate::context::Ctx;
use crate::error::ApiResult;

/// How often the log is looked at when it did not grow.
const POLL: Duration = Duration::from_secs(1);

/// A stream on its way.
struct Follower {
    ctx: RequestContext,
    query: AuditQuery,
    position: i64,
    read: VecDeque<AuditEvent>,
    ends_at: Instant,
    is_over: bool,
    _open: OpenStream,
}

pub(super) async fn follow(
    Ctx(ctx): Ctx,
    headers: HeaderMap,
    Query(filters): Query<Filters>,
) -> ApiResult<Response> {
    let last = headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?").to_owned());
    let position = position(last.as_deref().or(filters.after.as_deref()))?;
    let query = filters.query(None)?;
    let open = stream::open(&ctx, &query).await?;
    let ends_at = Instant::now() + ctx.settings().audit.stream_lifetime;
    let read = VecDeque::new();
    let follower = Follower { ctx, query, position, read, ends_at, is_over: false, _open: open };
    let events = unfold(follower, |mut follower| async {
        let next = follower.next().await?;
        Some((Ok::<_, Infallible>(next), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// Reads the position to go on after; the beginning where none is said.
fn position(text: Option<&str>) -> Result<i64> {
    let message = "the position to go on after must be a number";
    let invalid = |_| Error::invalid("AuditEvent", "after", FieldCode::Invalid, message);
    text.map_or(Ok(0), |text| text.parse().map_err(invalid))
}

impl Follower {
    /// Returns the next event, as soon as there is one; none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(found) = self.read.pop_front() {
                self.position = found.position.unwrap_or(self.position);
                let data = event(&found).to_string();
                return Some(Event::default().id(self.position.to_string()).event("audit").data(data));
            }
            if self.is_over {
                return None;
            }
            match stream::next(&self.ctx, &self.query, self.position).await {
                Err(error) => {
                    self.is_over = true;
                    let reason = json!({ "code": error.kind().code(), "message": error.message() });
                    return Some(Event::default().event("end").data(reason.to_string()));
                }
                Ok(found) if !found.is_empty() => self.read.extend(found),
                Ok(_) if Instant::now() >= self.ends_at => self.is_over = true,
                Ok(_) => sleep(POLL.min(self.ends_at - Instant::now())).await,
            }
        }
    }
}
