//! Events as they are written and read.

use forge_types::Timestamp;
use forge_types::id::{AccountId, AuditEventId, CredentialId, RepositoryId};

use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// An entry as it is written.
#[derive(Clone, Debug)]
pub struct NewAuditEvent<'a> {
    /// What its content hash covers.
    pub version: i64,
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
    /// On whose behalf it was done.
    pub delegator: Option<AuditActor<'a>>,
    /// For which task.
    pub task: Option<&'a str>,
    /// Under which grant.
    pub grant_id: Option<&'a str>,
    /// In which runtime.
    pub runtime: Option<&'a str>,
    /// The credential used.
    pub credential: Option<AuditCredential<'a>>,
    /// The repository it concerns.
    pub repository_id: Option<RepositoryId>,
    /// The organization it concerns.
    pub organization_id: Option<AccountId>,
    /// The account it concerns, when that is not the actor.
    pub subject_id: Option<AccountId>,
    /// What it concerns, in words.
    pub resource: Option<&'a str>,
    /// What came of it, as a JSON object.
    pub side_effect: Option<&'a str>,
    /// The request.
    pub request_id: &'a str,
    /// The surface: `rest`, `graphql`, `git`, `web`, `oauth`, `console`.
    pub surface: &'a str,
    /// The address of the peer.
    pub ip: Option<&'a str>,
    /// The program the peer says it is.
    pub user_agent: Option<&'a str>,
    /// Other personal particulars, as a JSON object.
    pub personal: Option<&'a str>,
    /// What the commitment to the personal fields was salted with.
    pub personal_salt: Option<[u8; 32]>,
    /// The commitment to the personal fields.
    pub personal_commitment: Option<[u8; 32]>,
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
             organization_id, subject_id, request_id, surface, ip, user_agent, details, content_hash, version, \
             delegator_id, delegator_login, task, grant_id, runtime, resource, side_effect, personal, personal_salt, \
             personal_commitment) VALUES \
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
             $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)"
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
            new.version,
            new.delegator.map(|actor| actor.id),
            new.delegator.map(|actor| actor.login),
            new.task,
            new.grant_id,
            new.runtime,
            new.resource,
            new.side_effect,
            new.personal,
            new.personal_salt,
            new.personal_commitment,
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
    pub version: i64,
    pub delegator_id: Option<AccountId>,
    pub delegator_login: Option<String>,
    pub task: Option<String>,
    pub grant_id: Option<String>,
    pub runtime: Option<String>,
    pub resource: Option<String>,
    pub side_effect: Option<String>,
    pub personal: Option<String>,
    pub personal_salt: Option<Vec<u8>>,
    pub personal_commitment: Option<Vec<u8>>,
    /// Its place in the chain; absent until it is sealed.
    pub position: Option<i64>,
    /// The chain's hash there.
    pub hash: Option<Vec<u8>>,
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
    version,
    delegator_id,
    delegator_login,
    task,
    grant_id,
    runtime,
    resource,
    side_effect,
    personal,
    personal_salt,
    personal_commitment,
    position,
    hash,
});

/// The columns of an [`AuditEvent`], of `audit_events e` and `audit_seals s`.
macro_rules! audit_columns {
    () => {
        "e.id, e.created_at, e.event, e.decision, e.reason, e.actor_id, e.actor_login, e.actor_kind, e.acting_id, \
         e.acting_login, e.credential_id, e.credential_kind, e.token_fingerprint, e.repository_id, e.organization_id, \
         e.subject_id, e.request_id, e.surface, e.ip, e.user_agent, e.details, e.content_hash, e.version, \
         e.delegator_id, e.delegator_login, e.task, e.grant_id, e.runtime, e.resource, e.side_effect, e.personal, \
         e.personal_salt, e.personal_commitment, s.position, s.hash"
    };
}
pub(super) use audit_columns;

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
            " FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id \
             WHERE e.actor_id = $1 AND e.subject_id = $2 AND e.event = $3 AND e.decision = 'allow' \
             ORDER BY e.id DESC LIMIT 1"
        ),
        params![actor_id, subject_id, event],
    )
    .await
}

/// What the objects of an event are called now.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `OWNER/NAME` of the repository.
    pub repository: Option<String>,
    /// The organization that owns the repository, if one does.
    pub owner_id: Option<AccountId>,
    /// The login of the organization.
    pub organization: Option<String>,
    /// The login of the account it is about.
    pub subject: Option<String>,
    /// What that account is.
    pub subject_kind: Option<String>,
}

from_row!(Named { repository, owner_id, organization, subject, subject_kind });

/// Returns what these objects are called.
///
/// # Errors
/// Only faults of the database.
pub async fn find_names(
    conn: &mut Conn,
    repository_id: Option<RepositoryId>,
    organization_id: Option<AccountId>,
    subject_id: Option<AccountId>,
) -> StoreResult<Named> {
    conn.fetch_one(
        sql!(
            "SELECT r.full_name AS repository, r.organization_id AS owner_id, \
             (SELECT login FROM accounts WHERE id = $2) AS organization, \
             (SELECT login FROM accounts WHERE id = $3) AS subject, \
             (SELECT kind FROM accounts WHERE id = $3) AS subject_kind \
             FROM (SELECT 1 AS one) alone LEFT JOIN ( \
                 SELECT o.login || '/' || r.name AS full_name, \
                 CASE WHEN o.kind = 'organization' THEN o.id END AS organization_id \
                 FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.id = $1 \
             ) r ON alone.one = 1"
        ),
        params![repository_id, organization_id, subject_id],
    )
    .await
}
