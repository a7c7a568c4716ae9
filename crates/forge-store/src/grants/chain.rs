//! The grants that a token stands on: its own, and those that one is a part of. They come with the statement that looks the
//! token up.

use forge_types::Timestamp;
use forge_types::account::{AccountRef, AccountStatus};
use forge_types::grant::{GrantLife, GrantState, GrantTerms};
use forge_types::id::{AccountId, GrantId};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

/// The columns of up to three [`GrantLink`]s.
macro_rules! chain_columns {
    () => {
        "g1.id AS g1_id, g1.agent_id AS g1_agent_id, g1.terms AS g1_terms, g1.task AS g1_task, g1.created_by AS g1_created_by, g1.needs_consent AS g1_needs_consent, \
         g1.consented_at AS g1_consented_at, g1.expires_at AS g1_expires_at, g1.revoked_at AS g1_revoked_at, \
         d1.id AS d1_id, d1.kind AS d1_kind, d1.login AS d1_login, d1.name AS d1_name, \
         d1.is_site_admin AS d1_is_site_admin, d1.status AS d1_status, \
         g2.id AS g2_id, g2.agent_id AS g2_agent_id, g2.terms AS g2_terms, g2.task AS g2_task, g2.created_by AS g2_created_by, g2.needs_consent AS g2_needs_consent, \
         g2.consented_at AS g2_consented_at, g2.expires_at AS g2_expires_at, g2.revoked_at AS g2_revoked_at, \
         d2.id AS d2_id, d2.kind AS d2_kind, d2.login AS d2_login, d2.name AS d2_name, \
         d2.is_site_admin AS d2_is_site_admin, d2.status AS d2_status, \
         g3.id AS g3_id, g3.agent_id AS g3_agent_id, g3.terms AS g3_terms, g3.task AS g3_task, g3.created_by AS g3_created_by, g3.needs_consent AS g3_needs_consent, \
         g3.consented_at AS g3_consented_at, g3.expires_at AS g3_expires_at, g3.revoked_at AS g3_revoked_at, \
         d3.id AS d3_id, d3.kind AS d3_kind, d3.login AS d3_login, d3.name AS d3_name, \
         d3.is_site_admin AS d3_is_site_admin, d3.status AS d3_status"
    };
}

/// Where they come from, beside a credential named `c`.
macro_rules! chain_tables {
    () => {
        "LEFT JOIN task_grants g1 ON g1.id = c.grant_id LEFT JOIN accounts d1 ON d1.id = g1.delegator_id \
         LEFT JOIN task_grants g2 ON g2.id = g1.parent_id LEFT JOIN accounts d2 ON d2.id = g2.delegator_id \
         LEFT JOIN task_grants g3 ON g3.id = g2.parent_id LEFT JOIN accounts d3 ON d3.id = g3.delegator_id"
    };
}

pub(crate) use {chain_columns, chain_tables};

/// One grant of the chain that a token stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantLink {
    /// The grant.
    pub id: GrantId,
    /// The agent it is for.
    pub agent_id: AccountId,
    /// What it conveys.
    pub terms: GrantTerms,
    /// What the work is.
    pub task: String,
    /// When it begins and ends.
    pub life: GrantLife,
    /// Who made it, if not the delegator then for an organization.
    pub created_by: AccountId,
    /// Who granted it.
    pub delegator: AccountRef,
    /// Whether that one may act.
    pub delegator_status: AccountStatus,
}

impl GrantLink {
    /// Returns whether the grant and whoever granted it stand.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.life.state(now) == GrantState::Active && self.delegator_status == AccountStatus::Active
    }
}

/// Reads the chain from the columns of [`chain_columns`].
pub(crate) fn chain(row: &Row<'_>) -> StoreResult<Vec<GrantLink>> {
    let mut links = Vec::new();
    for (grant, delegator) in [("g1", "d1"), ("g2", "d2"), ("g3", "d3")] {
        let Some(link) = link(row, grant, delegator)? else { break };
        links.push(link);
    }
    Ok(links)
}

fn link(row: &Row<'_>, grant: &str, delegator: &str) -> StoreResult<Option<GrantLink>> {
    let Some(id) = row.get::<Option<GrantId>>(&format!("{grant}_id"))? else { return Ok(None) };
    let delegator_ref = account_ref(row, delegator)?;
    Ok(Some(GrantLink {
        id,
        agent_id: row.get(&format!("{grant}_agent_id"))?,
        terms: row.get(&format!("{grant}_terms"))?,
        task: row.get(&format!("{grant}_task"))?,
        created_by: row.get(&format!("{grant}_created_by"))?,
        life: GrantLife {
            needs_consent: row.get(&format!("{grant}_needs_consent"))?,
            consented_at: row.get(&format!("{grant}_consented_at"))?,
            expires_at: row.get(&format!("{grant}_expires_at"))?,
            revoked_at: row.get(&format!("{grant}_revoked_at"))?,
        },
        delegator: delegator_ref.ok_or_else(|| corrupt(delegator, "null"))?,
        delegator_status: row.get(&format!("{delegator}_status"))?,
    }))
}

struct Chain(Vec<GrantLink>);

impl FromRow for Chain {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        chain(row).map(Self)
    }
}

/// Returns a grant followed by those it is a part of; nothing if there is no such grant.
///
/// # Errors
/// Only faults of the database.
pub async fn find_chain(conn: &mut Conn, id: &GrantId) -> StoreResult<Vec<GrantLink>> {
    let Chain(links) = conn
        .fetch_one(
            sql!(
                "SELECT ",
                chain_columns!(),
                " FROM (SELECT CAST($1 AS TEXT) AS grant_id) c ",
                chain_tables!()
            ),
            params![id],
        )
        .await?;
    Ok(links)
}
