//! Accounts: humans, agents and organizations, which share one name space.

use forge_types::account::{Account, AccountKind, AccountRef, AccountStatus};
use forge_types::id::AccountId;
use forge_types::{Timestamp, name};

use crate::organizations::repository_counts;
use crate::row::{FromRow, Row, from_row};
use crate::statement::{params, postgres_sql, sql};
use crate::{Conn, StoreResult, Tx};

from_row!(Account {
    id,
    kind,
    login,
    name,
    email,
    is_email_public,
    description,
    status,
    is_site_admin,
    created_by,
    created_at,
    updated_at,
});

/// The columns of an [`Account`].
macro_rules! account_columns {
    () => {
        "id, kind, login, name, email, is_email_public, description, status, is_site_admin, created_by, created_at, \
         updated_at"
    };
}

pub(crate) use account_columns;

/// Reads an [`AccountRef`] from the columns `PREFIX_id`, `PREFIX_kind`, `PREFIX_login`, `PREFIX_name` and
/// `PREFIX_is_site_admin`; `None` when the id is null, as after an outer join.
pub(crate) fn account_ref(row: &Row<'_>, prefix: &str) -> StoreResult<Option<AccountRef>> {
    let Some(id) = row.get::<Option<AccountId>>(&format!("{prefix}_id"))? else { return Ok(None) };
    Ok(Some(AccountRef {
        id,
        kind: row.get(&format!("{prefix}_kind"))?,
        login: row.get(&format!("{prefix}_login"))?,
        name: row.get(&format!("{prefix}_name"))?,
        is_site_admin: row.get(&format!("{prefix}_is_site_admin"))?,
    }))
}

/// What a new account is made of.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// What it is.
    pub kind: AccountKind,
    /// Its login, already checked.
    pub login: &'a str,
    /// Its display name.
    pub name: Option<&'a str>,
    /// Its address.
    pub email: Option<&'a str>,
    /// A sentence about it.
    pub description: Option<&'a str>,
    /// Whether it administers the whole forge.
    pub is_site_admin: bool,
    /// Who creates it.
    pub created_by: Option<AccountId>,
}

/// Inserts an account.
///
/// # Errors
/// `Duplicate` if the login is taken, in whatever case.
pub async fn insert(tx: &mut Tx, new: &NewAccount<'_>, now: Timestamp) -> StoreResult<Account> {
    tx.fetch_one(
        sql!(
            "INSERT INTO accounts (kind, login, login_key, name, email, description, is_site_admin, created_by, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING ",
            account_columns!()
        ),
        params![
            new.kind.as_str(),
            new.login,
            name::key(new.login),
            new.name,
            new.email,
            new.description,
            new.is_site_admin,
            new.created_by,
            now,
        ],
    )
    .await
}

/// Returns the account with this id.
///
/// # Errors
/// Only faults of the database.
pub async fn find(conn: &mut Conn, id: AccountId) -> StoreResult<Option<Account>> {
    conn.fetch_optional(sql!("SELECT ", account_columns!(), " FROM accounts WHERE id = $1"), params![id])
        .await
}

/// Returns the account with this login, in whatever case; deleted accounts do not count.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_login(conn: &mut Conn, login: &str) -> StoreResult<Option<Account>> {
    conn.fetch_optional(
        sql!("SELECT ", account_columns!(), " FROM accounts WHERE login_key = $1 AND status <> 'deleted'"),
        params![name::key(login)],
    )
    .await
}

/// An account and what its profile counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account: Account,
    /// How many public repositories it owns.
    pub public_repositories: i64,
    /// How many others it owns.
    pub private_repositories: i64,
    /// The bytes of all its repositories.
    pub size_bytes: i64,
}

impl FromRow for Profile {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: Account::from_row(row)?,
            public_repositories: row.get("public_repositories")?,
            private_repositories: row.get("private_repositories")?,
            size_bytes: row.get("size_bytes")?,
        })
    }
}

/// Returns the profile of the account with this id.
///
/// # Errors
/// Only faults of the database.
pub async fn find_profile(conn: &mut Conn, id: AccountId) -> StoreResult<Option<Profile>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            account_columns!(),
            ", ",
            repository_counts!(),
            " FROM accounts a WHERE a.id = $1 AND a.status <> 'deleted'"
        ),
        params![id],
    )
    .await
}

/// Returns the profile of the account with this login, in whatever case.
///
/// # Errors
/// Only faults of the database.
pub async fn find_profile_by_login(conn: &mut Conn, login: &str) -> StoreResult<Option<Profile>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            account_columns!(),
            ", ",
            repository_counts!(),
            " FROM accounts a WHERE a.login_key = $1 AND a.status <> 'deleted'"
        ),
        params![name::key(login)],
    )
    .await
}

/// Returns the humans and agents after `since`, by id.
///
/// # Errors
/// Only faults of the database.
pub async fn list_users(conn: &mut Conn, since: AccountId, limit: i64) -> StoreResult<Vec<Account>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            account_columns!(),
            " FROM accounts WHERE id > $1 AND kind <> 'organization' AND status = 'active' ORDER BY id LIMIT $2"
        ),
        params![since, limit],
    )
    .await
}

/// Writes the profile: name, address and whether it is shown, description.
///
/// # Errors
/// Only faults of the database.
pub async fn update_profile(tx: &mut Tx, account: &Account) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE accounts SET name = $2, email = $3, description = $4, is_email_public = $5, updated_at = $6 \
             WHERE id = $1"
        ),
        params![
            account.id,
            account.name.as_deref(),
            account.email.as_deref(),
            account.description.as_deref(),
            account.is_email_public,
            account.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Writes the status with its reason and moves the epoch, so that decisions taken before are void.
///
/// # Errors
/// Only faults of the database.
pub async fn update_status(
    tx: &mut Tx,
    id: AccountId,
    status: AccountStatus,
    reason: Option<&str>,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE accounts SET status = $2, status_reason = $3, epoch = epoch + 1, updated_at = $4 WHERE id = $1"
        ),
        params![id, status.as_str(), reason, now],
    )
    .await?;
    Ok(())
}

struct Exists {
    found: bool,
}
from_row!(Exists { found });

/// Returns whether a login is taken, in whatever case; logins of deleted accounts stay taken.
///
/// # Errors
/// Only faults of the database.
pub async fn login_is_taken(conn: &mut Conn, login: &str) -> StoreResult<bool> {
    let row: Exists = conn
        .fetch_one(
            sql!("SELECT EXISTS (SELECT 1 FROM accounts WHERE login_key = $1) AS found"),
            params![name::key(login)],
        )
        .await?;
    Ok(row.found)
}

/// Writes whether a human administers the forge.
///
/// # Errors
/// `Constraint` if the account is not a human.
pub async fn update_site_admin(
    tx: &mut Tx,
    id: AccountId,
    is_site_admin: bool,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!("UPDATE accounts SET is_site_admin = $2, epoch = epoch + 1, updated_at = $3 WHERE id = $1"),
        params![id, is_site_admin, now],
    )
    .await?;
    Ok(())
}

/// How an account, or a repository in its network, is held until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// By whoever relies on what the account is and on its credentials. Many may at once.
    Shared,
    /// By whoever makes or ends credentials or bindings of the account. One alone, and nobody relies on it meanwhile.
    Alone,
}

/// An account that is held.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The account.
    pub id: AccountId,
    /// Whether it may act.
    pub status: AccountStatus,
}
from_row!(Held { id, status });

/// Holds accounts until the transaction ends, in the order of their ids, so that two transactions never wait for each other.
/// What is read afterwards was not changed by anyone who holds them too. On SQLite the one writer is alone anyway.
///
/// INVARIANT: accounts are held before any row of `credentials`, `agents` or `web_sessions` is changed.
///
/// # Errors
/// Only faults of the database.
pub async fn hold(tx: &mut Tx, ids: &[AccountId], how: Hold) -> StoreResult<Vec<Held>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut held = Vec::with_capacity(ids.len());
    for some in ids.chunks(3) {
        held.extend(hold_some(tx, some, how).await?);
    }
    Ok(held)
}

async fn hold_some(tx: &mut Tx, ids: &[AccountId], how: Hold) -> StoreResult<Vec<Held>> {
    let id = |at: usize| ids.get(at).copied();
    let values = params![id(0), id(1), id(2)];
    let statement = match how {
        _ if tx.is_sqlite() => {
            sql!("SELECT id, status FROM accounts WHERE id = $1 OR id = $2 OR id = $3 ORDER BY id")
        }
        Hold::Shared => postgres_sql!(
            "SELECT id, status FROM accounts WHERE id = $1 OR id = $2 OR id = $3 ORDER BY id FOR SHARE"
        ),
        Hold::Alone => postgres_sql!(
            "SELECT id, status FROM accounts WHERE id = $1 OR id = $2 OR id = $3 ORDER BY id FOR NO KEY UPDATE"
        ),
    };
    tx.fetch_all(statement, values).await
}

/// Returns whether somebody administers the forge.
///
/// # Errors
/// Only faults of the database.
pub async fn site_admin_exists(conn: &mut Conn) -> StoreResult<bool> {
    let row: Exists = conn
        .fetch_one(
            sql!("SELECT EXISTS (SELECT 1 FROM accounts WHERE is_site_admin = TRUE AND status = 'active') AS found"),
            params![],
        )
        .await?;
    Ok(row.found)
}
