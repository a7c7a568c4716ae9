//! Repositories and who may do what there. Neighbours: `list` and `search` for many, `change` for what happens to one
//! after it was created, `parts` for one with something that lies in it, `topics` for the words to find it by.

use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::repository::{Repository, RepositoryAccess, RepositorySettings, Visibility};
use forge_types::{Permission, Timestamp, name};

use crate::accounts::account_ref;
use crate::row::{Column, FromRow, Row, corrupt};
use crate::statement::{params, sql};
use crate::{Conn, StoreError, StoreResult, Tx};

/// The columns of a [`Repository`] named `r` with its owner named `o`.
macro_rules! repository_columns {
    () => {
        "r.id, r.name, r.name_key, o.login_key AS owner_key, r.visibility, r.default_branch, r.settings, r.parent_id, r.source_id, r.fork_count, r.archived_at, r.size_bytes, \
         r.created_at, r.updated_at, r.pushed_at, o.id AS owner_id, o.kind AS owner_kind, o.login AS owner_login, \
         o.name AS owner_name, o.is_site_admin AS owner_is_site_admin, \
         (SELECT string_agg(t.topic, ' ') FROM repository_topics t WHERE t.repository_id = r.id) AS topics, \
         (SELECT k.ref_generation || '.' || k.gc_epoch || '.' || k.rebuilds FROM repository_counters k \
             WHERE k.repository_id = r.id) AS git_state"
    };
}

/// The rank of the permission that the account `$1` has in the repository `r` owned by `o`: as owner, as owner or
/// member of the owning organization, through teams, as collaborator. Null when it has none. Visibility is apart.
macro_rules! permission_rank {
    () => {
        "(SELECT MAX(p.rank) FROM ( \
             SELECT 5 AS rank FROM accounts x WHERE x.id = $1 AND x.id = r.owner_id \
             UNION ALL SELECT CASE m.role WHEN 'admin' THEN 5 ELSE g.default_permission END \
                 FROM organization_members m JOIN organizations g ON g.account_id = m.organization_id \
                 WHERE m.organization_id = r.owner_id AND m.member_id = $1 \
             UNION ALL SELECT tr.permission FROM team_repositories tr \
                 JOIN team_members tm ON tm.team_id = tr.team_id \
                 WHERE tr.repository_id = r.id AND tm.member_id = $1 \
             UNION ALL SELECT c.permission FROM collaborators c \
                 WHERE c.repository_id = r.id AND c.account_id = $1 \
         ) p)"
    };
}

/// What passes `VisibleRepositories`, given as `$1` to `$4`, among rows named `v`.
macro_rules! is_visible {
    () => {
        "((v.visibility = 'public' AND $2 = TRUE) OR (v.visibility = 'internal' AND $3 = TRUE) \
          OR (v.permission IS NOT NULL AND $4 = TRUE))"
    };
}

/// What passes a `RepositoryFilter`, given as `$5` to `$8`, among rows named `v`.
macro_rules! passes_filter {
    () => {
        "(CAST($5 AS TEXT) IS NULL OR v.visibility = $5) \
         AND (CAST($6 AS BOOLEAN) IS NULL OR (v.visibility <> 'public') = $6) \
         AND (CAST($7 AS BOOLEAN) IS NULL OR (v.parent_id IS NOT NULL) = $7) \
         AND (CAST($8 AS BOOLEAN) IS NULL OR (v.archived_at IS NOT NULL) = $8)"
    };
}

/// Which rows named `v` hold the words `$14` to `$17` and have the topics `$18` to `$21`.
macro_rules! matches_terms {
    () => {
        "(CAST($14 AS TEXT) IS NULL OR (v.words || ' ' || COALESCE(v.topics, '')) LIKE $14 ESCAPE '\\') \
         AND (CAST($15 AS TEXT) IS NULL OR (v.words || ' ' || COALESCE(v.topics, '')) LIKE $15 ESCAPE '\\') \
         AND (CAST($16 AS TEXT) IS NULL OR (v.words || ' ' || COALESCE(v.topics, '')) LIKE $16 ESCAPE '\\') \
         AND (CAST($17 AS TEXT) IS NULL OR (v.words || ' ' || COALESCE(v.topics, '')) LIKE $17 ESCAPE '\\') \
         AND (CAST($18 AS TEXT) IS NULL OR (' ' || COALESCE(v.topics, '') || ' ') LIKE $18 ESCAPE '\\') \
         AND (CAST($19 AS TEXT) IS NULL OR (' ' || COALESCE(v.topics, '') || ' ') LIKE $19 ESCAPE '\\') \
         AND (CAST($20 AS TEXT) IS NULL OR (' ' || COALESCE(v.topics, '') || ' ') LIKE $20 ESCAPE '\\') \
         AND (CAST($21 AS TEXT) IS NULL OR (' ' || COALESCE(v.topics, '') || ' ') LIKE $21 ESCAPE '\\')"
    };
}

/// The order of rows named `v`, given as `$9` (what by) and `$10` (1 upwards, -1 downwards).
macro_rules! in_order {
    () => {
        "CASE $9 WHEN 'created' THEN v.created_at WHEN 'updated' THEN v.updated_at \
             WHEN 'pushed' THEN COALESCE(v.pushed_at, v.created_at) WHEN 'size' THEN v.size_bytes ELSE 0 END * $10, \
         CASE WHEN $9 = 'full_name' AND $10 > 0 THEN v.owner_key END, \
         CASE WHEN $9 = 'full_name' AND $10 > 0 THEN v.name_key END, \
         CASE WHEN $9 = 'full_name' AND $10 < 0 THEN v.owner_key END DESC, \
         CASE WHEN $9 = 'full_name' AND $10 < 0 THEN v.name_key END DESC, v.id * $10"
    };
}

pub(crate) use {in_order, is_visible, passes_filter, permission_rank, repository_columns};

mod change;
mod deleted;
mod fork;
mod list;
mod many;
mod parts;
mod search;
mod topics;

pub use change::{delete, list_to_delete, redirect, rename, transfer, update};
pub use deleted::{
    DeletedRepository, find_deleted, forget_deleted, keep, list_deleted, list_deleted_packs,
    list_deleted_refs, put_back,
};
pub use fork::{
    Descent, Lineage, count_fork, delete_from_network, find_in_network, hold_descent, list_forks,
    release_forks, reserve,
};
pub use list::{ListedOwner, list_by_affiliation, list_by_owner};
pub(crate) use list::{list_parameters, only};
pub use many::find_many;
pub use parts::{RepositoryPlace, find_with_label, find_with_labels, find_with_ref};
pub use search::{MAX_TERMS, RepositorySearch, search};
pub use topics::replace_topics;

impl Column for Option<Permission> {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let rank: Option<i64> = row.get(name)?;
        rank.map(|rank| Permission::from_rank(rank).ok_or_else(|| corrupt(name, &rank.to_string())))
            .transpose()
    }
}

impl FromRow for Repository {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let text: String = row.get("settings")?;
        let mut settings: RepositorySettings =
            serde_json::from_str(&text).map_err(|_| corrupt("settings", &text))?;
        let topics: Option<String> = row.get("topics")?;
        settings.topics = topics.iter().flat_map(|topics| topics.split(' ')).map(str::to_owned).collect();
        settings.topics.sort();
        Ok(Self {
            id: row.get("id")?,
            owner: account_ref(row, "owner")?.ok_or_else(|| corrupt("owner_id", "null"))?,
            name: row.get("name")?,
            visibility: row.get("visibility")?,
            default_branch: row.get("default_branch")?,
            settings,
            parent_id: row.get("parent_id")?,
            source_id: row.get("source_id")?,
            fork_count: row.get("fork_count")?,
            archived_at: row.get("archived_at")?,
            size_bytes: row.get("size_bytes")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            pushed_at: row.get("pushed_at")?,
        })
    }
}

/// Returns whether a repository has the branch `branch`.
///
/// # Errors
/// Only faults of the database.
pub async fn has_branch(conn: &mut Conn, id: RepositoryId, branch: &str) -> StoreResult<bool> {
    struct Found(bool);
    impl FromRow for Found {
        fn from_row(row: &Row<'_>) -> StoreResult<Self> {
            row.get("found").map(Self)
        }
    }
    let row: Found = conn
        .fetch_one(
            sql!("SELECT EXISTS (SELECT 1 FROM refs WHERE repository_id = $1 AND name = $2) AS found"),
            params![id, format!("refs/heads/{branch}")],
        )
        .await?;
    Ok(row.0)
}

struct Id(RepositoryId);

impl FromRow for Id {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        row.get("id").map(Self)
    }
}

impl FromRow for RepositoryAccess {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let state: String = row.get("git_state")?;
        Ok(Self {
            repository: Repository::from_row(row)?,
            permission: row.get("permission")?,
            git_state: state.parse().map_err(|_| corrupt("git_state", &state))?,
        })
    }
}

/// Returns the repository `owner/name`, under its present or a former name, with the permission of `caller`.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_name(
    conn: &mut Conn,
    caller: Option<AccountId>,
    owner: &str,
    name: &str,
) -> StoreResult<Option<RepositoryAccess>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            repository_columns!(),
            ", ",
            permission_rank!(),
            " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.id = COALESCE( \
             (SELECT n.id FROM repositories n JOIN accounts w ON w.id = n.owner_id \
                 WHERE w.login_key = $2 AND n.name_key = $3), \
             (SELECT d.repository_id FROM repository_redirects d JOIN accounts w ON w.id = d.owner_id \
                 WHERE w.login_key = $2 AND d.name_key = $3))"
        ),
        params![caller, name::key(owner), name::key(name)],
    )
    .await
}

/// Returns the repository with this id, with the permission of `caller`.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    caller: Option<AccountId>,
    id: RepositoryId,
) -> StoreResult<Option<RepositoryAccess>> {
    conn.fetch_optional(
        sql!(
            "SELECT ",
            repository_columns!(),
            ", ",
            permission_rank!(),
            " AS permission FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.id = $2"
        ),
        params![caller, id],
    )
    .await
}

/// What a new repository is made of.
#[derive(Clone, Debug)]
pub struct NewRepository<'a> {
    /// Who owns it.
    pub owner: &'a AccountRef,
    /// Its name, already checked.
    pub name: &'a str,
    /// Who may see it.
    pub visibility: Visibility,
    /// The branch that `HEAD` names.
    pub default_branch: &'a str,
    /// What its administrators set.
    pub settings: &'a RepositorySettings,
    /// Who creates it.
    pub created_by: AccountId,
    /// What it is forked from, if it is.
    pub lineage: Option<Lineage>,
}

/// Inserts a repository with its counters; a redirect from the name ends.
///
/// # Errors
/// `Duplicate` if the owner has a repository of this name, in whatever case.
pub async fn insert(tx: &mut Tx, new: &NewRepository<'_>, now: Timestamp) -> StoreResult<Repository> {
    let key = name::key(new.name);
    let mut values = params![
        new.owner.id,
        new.name,
        key.as_str(),
        new.visibility.as_str(),
        new.default_branch,
        settings_text(new.settings)?,
        new.settings.description.as_deref(),
        new.created_by,
        now,
    ];
    let Id(id) = match new.lineage {
        None => {
            let own = sql!(
                "INSERT INTO repositories (owner_id, name, name_key, visibility, default_branch, settings, \
                 description, created_by, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id"
            );
            tx.fetch_one(own, values).await?
        }
        Some(lineage) => {
            values.extend(params![lineage.id, lineage.parent_id, lineage.source_id]);
            let forked = sql!(
                "INSERT INTO repositories (owner_id, name, name_key, visibility, default_branch, settings, \
                 description, created_by, created_at, updated_at, id, parent_id, source_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12) RETURNING id"
            );
            tx.fetch_one(forked, values).await?
        }
    };
    tx.execute(sql!("INSERT INTO repository_counters (repository_id) VALUES ($1)"), params![id]).await?;
    delete_redirect(tx, new.owner.id, &key).await?;
    Ok(Repository {
        id,
        owner: new.owner.clone(),
        name: new.name.to_owned(),
        visibility: new.visibility,
        default_branch: new.default_branch.to_owned(),
        settings: new.settings.clone(),
        parent_id: new.lineage.map(|lineage| lineage.parent_id),
        source_id: new.lineage.map(|lineage| lineage.source_id),
        fork_count: 0,
        archived_at: None,
        size_bytes: 0,
        created_at: now,
        updated_at: now,
        pushed_at: None,
    })
}

fn settings_text(settings: &RepositorySettings) -> StoreResult<String> {
    serde_json::to_string(settings).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Ends the redirect from a name that is taken anew.
async fn delete_redirect(tx: &mut Tx, owner_id: AccountId, key: &str) -> StoreResult<()> {
    tx.execute(
        sql!("DELETE FROM repository_redirects WHERE owner_id = $1 AND name_key = $2"),
        params![owner_id, key],
    )
    .await?;
    Ok(())
}
