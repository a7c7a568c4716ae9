//! Which events are listed, and in which order.

use forge_types::Timestamp;
use forge_types::id::{AccountId, AuditEventId, RepositoryId};

use super::events::{AuditEvent, audit_columns};
use crate::row::{Value, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

/// Which entries to list; `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Entries by this account, by its agents, and by those it acted as.
    pub viewer_id: Option<AccountId>,
    /// Entries by this actor.
    pub actor_id: Option<AccountId>,
    /// Entries by an actor who had this login.
    pub actor_login: Option<String>,
    /// Entries by or about this account.
    pub about_id: Option<AccountId>,
    /// Entries about this repository.
    pub repository_id: Option<RepositoryId>,
    /// Entries about this organization or what belongs to it.
    pub organization_id: Option<AccountId>,
    /// Entries of this task.
    pub task: Option<String>,
    /// Entries under this grant.
    pub grant_id: Option<String>,
    /// Entries with one of these event names.
    pub events: Option<Vec<String>>,
    /// Entries whose event name starts with this, besides those with one of `events`.
    pub event_prefix: Option<String>,
    /// Entries with this decision, `allow` or `deny`.
    pub decision: Option<String>,
    /// `true` for entries of refs moved by a push, `false` for all others.
    pub is_git: Option<bool>,
    /// Entries from this time on.
    pub since: Option<Timestamp>,
    /// Entries before this time.
    pub until: Option<Timestamp>,
    /// Entries after this one.
    pub after: Option<AuditEventId>,
    /// Entries before this one.
    pub before: Option<AuditEventId>,
    /// Whether the newest come first.
    pub is_descending: bool,
}

impl AuditFilter {
    /// Returns the parameters that [`audit_conditions`] names, all but the last.
    fn parameters(&self) -> Vec<Value> {
        // Names are joined so that one text can look for any number of them.
        let names = self.events.as_ref().map(|names| format!(",{},", names.join(",")).to_lowercase());
        params![
            self.viewer_id,
            self.actor_id,
            self.actor_login.as_ref(),
            self.about_id,
            self.repository_id,
            self.organization_id,
            self.task.as_ref(),
            self.grant_id.as_ref(),
            names,
            self.event_prefix.as_ref(),
            self.decision.as_ref(),
            self.is_git,
            self.since,
            self.until,
        ]
    }
}

/// What `$1` to `$14` of an [`AuditFilter`] ask of an entry.
macro_rules! audit_conditions {
    () => {
        "(CAST($1 AS BIGINT) IS NULL OR e.actor_id = $1 OR e.acting_id = $1 OR e.delegator_id = $1 \
             OR e.actor_id IN (SELECT b.agent_id FROM agent_bindings b WHERE b.human_id = $1)) \
         AND (CAST($2 AS BIGINT) IS NULL OR e.actor_id = $2) \
         AND (CAST($3 AS TEXT) IS NULL OR LOWER(e.actor_login) = LOWER($3)) \
         AND (CAST($4 AS BIGINT) IS NULL OR e.actor_id = $4 OR e.subject_id = $4) \
         AND (CAST($5 AS BIGINT) IS NULL OR e.repository_id = $5) \
         AND (CAST($6 AS BIGINT) IS NULL OR e.organization_id = $6 OR e.subject_id = $6) \
         AND (CAST($7 AS TEXT) IS NULL OR e.task = $7) \
         AND (CAST($8 AS TEXT) IS NULL OR e.grant_id = $8) \
         AND (CAST($9 AS TEXT) IS NULL OR $9 LIKE '%,' || e.event || ',%' OR e.event LIKE $10 || '%') \
         AND (CAST($11 AS TEXT) IS NULL OR e.decision = $11) \
         AND (CAST($12 AS BOOLEAN) IS NULL OR (e.event = 'refs.updated') = $12) \
         AND (CAST($13 AS BIGINT) IS NULL OR e.created_at >= $13) \
         AND (CAST($14 AS BIGINT) IS NULL OR e.created_at < $14)"
    };
}

/// Returns `limit` entries that pass `filter`, by id.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, filter: &AuditFilter, limit: i64) -> StoreResult<Vec<AuditEvent>> {
    let mut values = filter.parameters();
    let after = filter.after.unwrap_or(AuditEventId(0));
    let before = filter.before.unwrap_or(AuditEventId(i64::MAX));
    values.extend(params![after, before, limit]);
    let statement = match (filter.is_descending, filter.viewer_id) {
        (true, _) => sql!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id WHERE ",
            audit_conditions!(),
            " AND e.id > $15 AND e.id < $16 ORDER BY e.id DESC LIMIT $17"
        ),
        (false, None) => sql!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id WHERE ",
            audit_conditions!(),
            " AND e.id > $15 AND e.id < $16 ORDER BY e.id LIMIT $17"
        ),
        // By the index of each way in, so that what others did costs nothing.
        (false, Some(_)) => sql!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id WHERE e.id IN ( \
                 SELECT o.id FROM audit_events o WHERE o.id > $15 AND o.actor_id = $1 \
                 UNION SELECT o.id FROM audit_events o JOIN agent_bindings b ON b.agent_id = o.actor_id \
                     WHERE o.id > $15 AND b.human_id = $1 \
                 UNION SELECT o.id FROM audit_events o WHERE o.id > $15 AND o.acting_id = $1 \
                 UNION SELECT o.id FROM audit_events o WHERE o.id > $15 AND o.delegator_id = $1 \
             ) AND ",
            audit_conditions!(),
            " AND e.id < $16 ORDER BY e.id LIMIT $17"
        ),
    };
    conn.fetch_all(statement, values).await
}

/// Returns the first `limit` sealed entries after `position` that pass `filter`, in the order of the chain.
///
/// # Errors
/// Only faults of the database.
pub async fn list_sealed(
    conn: &mut Conn,
    filter: &AuditFilter,
    position: i64,
    limit: i64,
) -> StoreResult<Vec<AuditEvent>> {
    let mut values = filter.parameters();
    values.extend(params![position, limit]);
    let statement = sql!(
        "SELECT ",
        audit_columns!(),
        " FROM audit_seals s JOIN audit_events e ON e.id = s.event_id WHERE ",
        audit_conditions!(),
        " AND s.position > $15 ORDER BY s.position LIMIT $16"
    );
    conn.fetch_all(statement, values).await
}

/// Returns the first `limit` entries after `after` that no seal covers yet, by id.
///
/// # Errors
/// Only faults of the database.
pub async fn list_unsealed(conn: &mut Conn, after: AuditEventId, limit: i64) -> StoreResult<Vec<AuditEvent>> {
    let statement = sql!(
        "SELECT ",
        audit_columns!(),
        " FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id \
         WHERE s.position IS NULL AND e.id > $1 ORDER BY e.id LIMIT $2"
    );
    conn.fetch_all(statement, params![after, limit]).await
}

/// Returns the last place of the chain that an entry was linked at.
///
/// # Errors
/// Only faults of the database.
pub async fn find_last_position(conn: &mut Conn) -> StoreResult<i64> {
    struct Last {
        position: i64,
    }
    from_row!(Last { position });
    let last: Last = conn
        .fetch_one(sql!("SELECT COALESCE(MAX(position), 0) AS position FROM audit_seals"), params![])
        .await?;
    Ok(last.position)
}
