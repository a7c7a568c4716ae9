//! Access groups of organizations and who is in them. Everybody is in one at least: whom nobody put into a group is in
//! `members` or in `default`, without a row.
//!
//! Every change counts up `policy_epoch` like a change of a policy, so that a ref change and a change of what bounds it
//! never pass each other.

use forge_types::Timestamp;
use forge_types::access_group::{AccessGroup, AccessGroupPlace};
use forge_types::account::AccountRef;
use forge_types::agent::StandingAccess;
use forge_types::ceiling::Ceiling;
use forge_types::id::{AccessGroupId, AccountId};
use forge_types::page::{Page, PageRequest};

use crate::accounts::account_ref;
use crate::row::{FromRow, Row, Value, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

from_row!(AccessGroup {
    id,
    organization_id,
    name,
    description,
    ceiling,
    standing_access,
    created_at,
    updated_at,
});

from_row!(AccessGroupPlace { account_id, organization_id, group_id, name, ceiling, standing_access });

/// An account that was put into a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessGroupMember {
    /// The account.
    pub account: AccountRef,
    /// When it was put there.
    pub added_at: Timestamp,
}

impl FromRow for AccessGroupMember {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: account_ref(row, "account")?.ok_or_else(|| corrupt("account_id", "null"))?,
            added_at: row.get("added_at")?,
        })
    }
}

/// The columns of an [`AccessGroup`] `g`.
macro_rules! group_columns {
    () => {
        "g.id, g.organization_id, g.name, g.description, g.ceiling, g.standing_access, g.created_at, g.updated_at"
    };
}

/// So many principals stand behind one request at most: whoever asks, whose rights count, and who passed a grant on.
pub const MOST_PRINCIPALS: usize = 5;

/// Returns the groups of these accounts in an organization, at most [`MOST_PRINCIPALS`] accounts. The organization itself, which
/// may delegate, is in none.
///
/// # Errors
/// Only faults of the database.
pub async fn list_places(
    conn: &mut Conn,
    organization_id: AccountId,
    accounts: &[AccountId],
) -> StoreResult<Vec<AccessGroupPlace>> {
    let mut values = params![organization_id];
    // No account has the number 0.
    let padded = accounts.iter().copied().chain(std::iter::repeat(AccountId(0)));
    values.extend(padded.take(MOST_PRINCIPALS).map(Value::from));
    conn.fetch_all(
        sql!(
            "SELECT x.id AS account_id, g.organization_id, g.id AS group_id, g.name, g.ceiling, g.standing_access \
             FROM access_groups g JOIN accounts x ON x.id IN ($2, $3, $4, $5, $6) AND x.id <> $1 \
             WHERE g.organization_id = $1 AND CASE \
             WHEN EXISTS (SELECT 1 FROM access_group_members m JOIN access_groups o ON o.id = m.group_id \
             WHERE m.account_id = x.id AND o.organization_id = $1) \
             THEN EXISTS (SELECT 1 FROM access_group_members m WHERE m.group_id = g.id AND m.account_id = x.id) \
             WHEN EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = $1 AND m.member_id = x.id) \
             THEN g.name = 'members' ELSE g.name = 'default' END \
             ORDER BY g.name, x.id"
        ),
        values,
    )
    .await
}

/// Inserts the groups that every organization has.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_built_in(tx: &mut Tx, organization_id: AccountId, now: Timestamp) -> StoreResult<()> {
    use forge_types::Permission;
    use forge_types::access_group::{DEFAULT, MEMBERS};
    for (name, permission) in [(MEMBERS, Permission::Admin), (DEFAULT, Permission::Write)] {
        let new = NewAccessGroup {
            organization_id,
            name,
            description: None,
            ceiling: &Ceiling::of(permission),
            standing_access: StandingAccess::Full,
        };
        insert(tx, &new, now).await?;
    }
    Ok(())
}

/// A group as it is made.
#[derive(Clone, Copy, Debug)]
pub struct NewAccessGroup<'a> {
    /// Whose it is.
    pub organization_id: AccountId,
    /// Its name, already checked.
    pub name: &'a str,
    /// A sentence about it.
    pub description: Option<&'a str>,
    /// What those in it have at most.
    pub ceiling: &'a Ceiling,
    /// What the standing tokens of agents in it may do at most.
    pub standing_access: StandingAccess,
}

/// Inserts a group.
///
/// # Errors
/// `Duplicate` if the organization has one of that name.
pub async fn insert(tx: &mut Tx, new: &NewAccessGroup<'_>, now: Timestamp) -> StoreResult<AccessGroup> {
    tx.fetch_one(
        sql!(
            "INSERT INTO access_groups \
             (organization_id, name, description, ceiling, standing_access, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) \
             RETURNING id, organization_id, name, description, ceiling, standing_access, created_at, updated_at"
        ),
        params![
            new.organization_id,
            new.name,
            new.description,
            new.ceiling,
            new.standing_access.as_str(),
            now
        ],
    )
    .await
}

/// Writes what can be changed of a group.
///
/// # Errors
/// Only faults of the database.
pub async fn update(tx: &mut Tx, group: &AccessGroup) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE access_groups SET description = $2, ceiling = $3, standing_access = $4, updated_at = $5 \
             WHERE id = $1"
        ),
        params![
            group.id,
            group.description.as_deref(),
            &group.ceiling,
            group.standing_access.as_str(),
            group.updated_at
        ],
    )
    .await?;
    Ok(())
}

/// Deletes a group; who was in it alone is in a built-in one from then on. Returns how many were in it.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, id: AccessGroupId) -> StoreResult<u64> {
    let members =
        tx.execute(sql!("DELETE FROM access_group_members WHERE group_id = $1"), params![id]).await?;
    tx.execute(sql!("DELETE FROM access_groups WHERE id = $1"), params![id]).await?;
    Ok(members)
}

/// Returns a page of the groups of an organization, by name.
///
/// # Errors
/// Only faults of the database.
pub async fn list(
    conn: &mut Conn,
    organization_id: AccountId,
    page: PageRequest,
) -> StoreResult<Page<AccessGroup>> {
    conn.fetch_page(
        sql!(
            "SELECT ",
            group_columns!(),
            ", COUNT(*) OVER () AS total FROM access_groups g WHERE g.organization_id = $1 \
             ORDER BY g.name LIMIT $2 OFFSET $3"
        ),
        params![organization_id],
        page,
    )
    .await
}

/// Returns the group of this name.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    organization_id: AccountId,
    name: &str,
) -> StoreResult<Option<AccessGroup>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            group_columns!(),
            " FROM access_groups g WHERE g.organization_id = $1 AND g.name = $2"
        ),
        params![organization_id, name],
    )
    .await
}

/// Returns how many groups an organization has.
///
/// # Errors
/// Only faults of the database.
pub async fn count(conn: &mut Conn, organization_id: AccountId) -> StoreResult<i64> {
    struct Count {
        count: i64,
    }
    from_row!(Count { count });
    let found: Count = conn
        .fetch_one(
            sql!("SELECT COUNT(*) AS count FROM access_groups WHERE organization_id = $1"),
            params![organization_id],
        )
        .await?;
    Ok(found.count)
}

/// Returns a page of those who were put into a group, by login. For `members` and `default` those who are there without that
/// are not among them.
///
/// # Errors
/// Only faults of the database.
pub async fn list_members(
    conn: &mut Conn,
    group: AccessGroupId,
    page: PageRequest,
) -> StoreResult<Page<AccessGroupMember>> {
    conn.fetch_page(
        sql!(
            "SELECT a.id AS account_id, a.kind AS account_kind, a.login AS account_login, a.name AS account_name, \
             a.is_site_admin AS account_is_site_admin, m.added_at, COUNT(*) OVER () AS total \
             FROM access_group_members m JOIN accounts a ON a.id = m.account_id \
             WHERE m.group_id = $1 AND a.status <> 'deleted' ORDER BY a.login_key LIMIT $2 OFFSET $3"
        ),
        params![group],
        page,
    )
    .await
}

/// Puts an account into a group; false if it is there already.
///
/// # Errors
/// Only faults of the database.
pub async fn add_member(
    tx: &mut Tx,
    group: AccessGroupId,
    account: AccountId,
    by: AccountId,
    now: Timestamp,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!(
                "INSERT INTO access_group_members (group_id, account_id, added_by, added_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (group_id, account_id) DO NOTHING"
            ),
            params![group, account, by, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Takes an account out of a group; false if it was not there.
///
/// # Errors
/// Only faults of the database.
pub async fn remove_member(tx: &mut Tx, group: AccessGroupId, account: AccountId) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("DELETE FROM access_group_members WHERE group_id = $1 AND account_id = $2"),
            params![group, account],
        )
        .await?;
    Ok(rows == 1)
}
