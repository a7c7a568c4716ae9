//! The audit log: rows are appended in the transaction of the effect they tell of, and never change.

use forge_types::Timestamp;
use forge_types::id::{AccountId, AuditEventId, CredentialId, RepositoryId};

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// An entry as it is written.
#[derive(Clone, Debug)]
pub struct NewAuditEvent<'a> {
    /// When it happened.
    pub created_at: Timestamp,
    /// What happened, `noun.verb`.
    pub event: &'a str,
    /// Whether it was allowed; refused attempts are kept too.
    pub is_allowed: bool,
    /// Why it was refused.
    pub reason: Option<&'a str>,
    /// Who did it.
    pub actor: Option<AuditActor<'a>>,
    /// The human who acted through a switch session.
    pub acting: Option<AuditActor<'a>>,
    /// The credential used.
    pub credential: Option<AuditCredential<'a>>,
    /// The repository it concerns.
    pub repository_id: Option<RepositoryId>,
    /// The organization it concerns.
    pub organization_id: Option<AccountId>,
    /// The account it concerns, when that is not the actor.
    pub subject_id: Option<AccountId>,
    /// The request.
    pub request_id: &'a str,
    /// The surface: `rest`, `graphql`, `git`, `web`, `oauth`, `console`.
    pub surface: &'a str,
    /// The address of the peer.
    pub ip: Option<&'a str>,
    /// The program the peer says it is.
    pub user_agent: Option<&'a str>,
    /// Particulars, as a JSON object.
    pub details: &'a str,
    /// SHA-256 of the entry's canonical content.
    pub content_hash: [u8; 32],
}

/// An account as the log names it: the login is kept as it was.
#[derive(Clone, Copy, Debug)]
pub struct AuditActor<'a> {
    /// The account's id.
    pub id: AccountId,
    /// Its login at that time.
    pub login: &'a str,
    /// What it is.
    pub kind: &'a str,
}

/// A credential as the log names it.
#[derive(Clone, Copy, Debug)]
pub struct AuditCredential<'a> {
    /// The credential's id; absent for a browser session.
    pub id: Option<CredentialId>,
    /// What it is for.
    pub kind: &'a str,
    /// Its public fingerprint.
    pub fingerprint: Option<&'a str>,
}

/// Appends an entry.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(tx: &mut Tx, new: &NewAuditEvent<'_>) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO audit_events (created_at, event, decision, reason, actor_id, actor_login, actor_kind, \
             acting_id, acting_login, credential_id, credential_kind, token_fingerprint, repository_id, \
             organization_id, subject_id, request_id, surface, ip, user_agent, details, content_hash) VALUES \
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
        ),
        params![
            new.created_at,
            new.event,
            if new.is_allowed { "allow" } else { "deny" },
            new.reason,
            new.actor.map(|actor| actor.id),
            new.actor.map(|actor| actor.login),
            new.actor.map(|actor| actor.kind),
            new.acting.map(|actor| actor.id),
            new.acting.map(|actor| actor.login),
            new.credential.and_then(|credential| credential.id),
            new.credential.map(|credential| credential.kind),
            new.credential.and_then(|credential| credential.fingerprint),
            new.repository_id,
            new.organization_id,
            new.subject_id,
            new.request_id,
            new.surface,
            new.ip,
            new.user_agent,
            new.details,
            new.content_hash,
        ],
    )
    .await?;
    Ok(())
}

/// An entry as it is read.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `NewAuditEvent`")]
pub struct AuditEvent {
    pub id: AuditEventId,
    pub created_at: Timestamp,
    pub event: String,
    pub decision: String,
    pub reason: Option<String>,
    pub actor_id: Option<AccountId>,
    pub actor_login: Option<String>,
    pub actor_kind: Option<String>,
    pub acting_id: Option<AccountId>,
    pub acting_login: Option<String>,
    pub credential_id: Option<CredentialId>,
    pub credential_kind: Option<String>,
    pub token_fingerprint: Option<String>,
    pub repository_id: Option<RepositoryId>,
    pub organization_id: Option<AccountId>,
    pub subject_id: Option<AccountId>,
    pub request_id: String,
    pub surface: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub details: String,
    pub content_hash: Vec<u8>,
}

from_row!(AuditEvent {
    id,
    created_at,
    event,
    decision,
    reason,
    actor_id,
    actor_login,
    actor_kind,
    acting_id,
    acting_login,
    credential_id,
    credential_kind,
    token_fingerprint,
    repository_id,
    organization_id,
    subject_id,
    request_id,
    surface,
    ip,
    user_agent,
    details,
    content_hash,
});

/// Which entries to list; `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Entries by this account, by its agents, and by those it acted as.
    pub viewer_id: Option<AccountId>,
    /// Entries by this actor.
    pub actor_id: Option<AccountId>,
    /// Entries by or about this account.
    pub about_id: Option<AccountId>,
    /// Entries about this repository.
    pub repository_id: Option<RepositoryId>,
    /// Entries about this organization.
    pub organization_id: Option<AccountId>,
    /// Entries with this event name.
    pub event: Option<String>,
    /// Entries with this decision, `allow` or `deny`.
    pub decision: Option<String>,
    /// Entries after this one.
    pub after: Option<AuditEventId>,
}

/// The columns of an [`AuditEvent`].
macro_rules! audit_columns {
    () => {
        "id, created_at, event, decision, reason, actor_id, actor_login, actor_kind, acting_id, acting_login, \
         credential_id, credential_kind, token_fingerprint, repository_id, organization_id, subject_id, request_id, \
         surface, ip, user_agent, details, content_hash"
    };
}

/// What `$1` to `$7` of an [`AuditFilter`] ask of an entry.
macro_rules! audit_conditions {
    () => {
        " id > $1 AND (CAST($2 AS BIGINT) IS NULL OR actor_id = $2) \
         AND (CAST($3 AS BIGINT) IS NULL OR actor_id = $3 OR subject_id = $3) \
         AND (CAST($4 AS BIGINT) IS NULL OR repository_id = $4) \
         AND (CAST($5 AS BIGINT) IS NULL OR organization_id = $5) \
         AND (CAST($6 AS TEXT) IS NULL OR event = $6) AND (CAST($7 AS TEXT) IS NULL OR decision = $7) \
         ORDER BY id LIMIT $8"
    };
}

/// Returns the latest entry of this name by this actor about this account.
///
/// # Errors
/// Only faults of the database.
pub async fn find_latest(
    conn: &mut Conn,
    actor_id: AccountId,
    subject_id: AccountId,
    event: &str,
) -> StoreResult<Option<AuditEvent>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_events WHERE actor_id = $1 AND subject_id = $2 AND event = $3 AND decision = 'allow' \
             ORDER BY id DESC LIMIT 1"
        ),
        params![actor_id, subject_id, event],
    )
    .await
}

/// Returns the oldest `limit` entries that pass `filter`.
///
/// # Errors
/// Only faults of the database.
pub async fn list(conn: &mut Conn, filter: &AuditFilter, limit: i64) -> StoreResult<Vec<AuditEvent>> {
    let mut values = params![
        filter.after.unwrap_or(AuditEventId(0)),
        filter.actor_id,
        filter.about_id,
        filter.repository_id,
        filter.organization_id,
        filter.event.as_ref(),
        filter.decision.as_ref(),
        limit,
    ];
    let Some(viewer) = filter.viewer_id else {
        let all = sql!("SELECT ", audit_columns!(), " FROM audit_events WHERE ", audit_conditions!());
        return conn.fetch_all(all, values).await;
    };
    values.extend(params![viewer]);
    let own = sql!(
        "SELECT ",
        audit_columns!(),
        " FROM audit_events WHERE id IN ( \
             SELECT e.id FROM audit_events e WHERE e.id > $1 AND e.actor_id = $9 \
             UNION SELECT e.id FROM audit_events e JOIN agent_bindings b ON b.agent_id = e.actor_id \
                 WHERE e.id > $1 AND b.human_id = $9 \
             UNION SELECT e.id FROM audit_events e WHERE e.id > $1 AND e.acting_id = $9 \
         ) AND ",
        audit_conditions!()
    );
    conn.fetch_all(own, values).await
}
