//! Policies by which an organization delegates without a person each time. One that is removed stays as a row, so that the
//! grants that came by it still say so; its grants end with it.

use forge_types::Timestamp;
use forge_types::account::AccountRef;
use forge_types::grant::GrantTerms;
use forge_types::id::{AccessGroupId, AccountId, DelegationPolicyId};
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::grants::terms_text;
use crate::row::{FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// A policy that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationPolicy {
    /// Its number.
    pub id: DelegationPolicyId,
    /// Whose it is, and whose rights are delegated.
    pub organization_id: AccountId,
    /// Its name in the organization.
    pub name: String,
    /// The group whose agents take tasks by it.
    pub group_id: AccessGroupId,
    /// The name of that group.
    pub group: String,
    /// What a task by it has at most.
    pub terms: GrantTerms,
    /// How long a task by it lasts at most, in seconds.
    pub longest: i64,
    /// The owner who made it, and answers for what it grants.
    pub created_by: AccountRef,
    /// When.
    pub created_at: Timestamp,
}

impl FromRow for DelegationPolicy {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            organization_id: row.get("organization_id")?,
            name: row.get("name")?,
            group_id: row.get("group_id")?,
            group: row.get("group_name")?,
            terms: row.get("terms")?,
            longest: row.get("longest")?,
            created_by: account_ref(row, "creator")?.ok_or_else(|| corrupt("created_by", "null"))?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Those of the organization `$1` that are in force.
macro_rules! policies_in_force {
    () => {
        "SELECT p.id, p.organization_id, p.name, p.group_id, g.name AS group_name, p.terms, p.longest, p.created_at, \
         b.id AS creator_id, b.kind AS creator_kind, b.login AS creator_login, b.name AS creator_name, \
         b.is_site_admin AS creator_is_site_admin, COUNT(*) OVER () AS total FROM delegation_policies p \
         JOIN access_groups g ON g.id = p.group_id JOIN accounts b ON b.id = p.created_by \
         WHERE p.organization_id = $1 AND p.removed_at IS NULL "
    };
}

/// A policy as it is made.
#[derive(Clone, Copy, Debug)]
pub struct NewDelegationPolicy<'a> {
    /// Whose it is.
    pub organization_id: AccountId,
    /// Its name, already checked.
    pub name: &'a str,
    /// The group whose agents take tasks by it.
    pub group_id: AccessGroupId,
    /// What a task by it has at most.
    pub terms: &'a GrantTerms,
    /// How long a task by it lasts at most, in seconds.
    pub longest: i64,
    /// Who makes it.
    pub created_by: AccountId,
}

/// Inserts a policy.
///
/// # Errors
/// `Duplicate` if one of that name is in force.
pub async fn insert(tx: &mut Tx, new: &NewDelegationPolicy<'_>, now: Timestamp) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO delegation_policies \
             (organization_id, name, group_id, terms, longest, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            new.organization_id,
            new.name,
            new.group_id,
            terms_text(new.terms)?,
            new.longest,
            new.created_by,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Returns the policy of this name that is in force.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    organization_id: AccountId,
    name: &str,
) -> StoreResult<Option<DelegationPolicy>> {
    conn.fetch_optional(sql!(policies_in_force!(), "AND p.name = $2"), params![organization_id, name]).await
}

/// Returns a page of those in force, by name.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    organization_id: AccountId,
    page: PageRequest,
) -> StoreResult<Page<DelegationPolicy>> {
    let listed = sql!(policies_in_force!(), "ORDER BY p.name LIMIT $2 OFFSET $3");
    conn.fetch_page(listed, params![organization_id], page).await
}

/// Puts a policy out of force; false if it was already.
///
/// # Errors
/// Only faults of the database.
pub async fn remove(tx: &mut Tx, id: DelegationPolicyId, now: Timestamp) -> StoreResult<bool> {
    let gone = sql!(
        "UPDATE delegation_policies SET removed_at = $2, group_id = NULL WHERE id = $1 AND removed_at IS NULL"
    );
    Ok(tx.execute(gone, params![id, now]).await? == 1)
}

/// Returns those in force by which an agent has taken tasks, each with its group.
///
/// # Errors
/// Only faults of the database.
pub async fn list_of_agent(
    conn: &mut Conn,
    organization_id: AccountId,
    agent_id: AccountId,
) -> StoreResult<Vec<(DelegationPolicyId, AccessGroupId)>> {
    struct Taken {
        id: DelegationPolicyId,
        group_id: AccessGroupId,
    }
    crate::row::from_row!(Taken { id, group_id });
    let found: Vec<Taken> = conn
        .fetch_all(
            sql!(
                "SELECT p.id, p.group_id FROM delegation_policies p WHERE p.organization_id = $1 \
                 AND p.removed_at IS NULL \
                 AND EXISTS (SELECT 1 FROM task_grants t WHERE t.policy_id = p.id AND t.agent_id = $2) ORDER BY p.id"
            ),
            params![organization_id, agent_id],
        )
        .await?;
    Ok(found.into_iter().map(|taken| (taken.id, taken.group_id)).collect())
}

/// Returns the names of those in force that a group's agents take tasks by.
///
/// # Errors
/// Only faults of the database.
pub async fn list_names_of_group(conn: &mut Conn, group: AccessGroupId) -> StoreResult<Vec<String>> {
    struct Named {
        name: String,
    }
    crate::row::from_row!(Named { name });
    let found: Vec<Named> = conn
        .fetch_all(
            sql!(
                "SELECT name FROM delegation_policies WHERE group_id = $1 AND removed_at IS NULL ORDER BY name"
            ),
            params![group],
        )
        .await?;
    Ok(found.into_iter().map(|named| named.name).collect())
}
