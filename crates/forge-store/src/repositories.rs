//! Repositories and who may do what there.

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
        "r.id, r.name, r.visibility, r.default_branch, r.settings, r.parent_id, r.archived_at, r.size_bytes, \
         r.created_at, r.updated_at, r.pushed_at, o.id AS owner_id, o.kind AS owner_kind, o.login AS owner_login, \
         o.name AS owner_name, o.is_site_admin AS owner_is_site_admin, \
         (SELECT string_agg(t.topic, ' ') FROM repository_topics t WHERE t.repository_id = r.id) AS topics"
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
            archived_at: row.get("archived_at")?,
            size_bytes: row.get("size_bytes")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            pushed_at: row.get("pushed_at")?,
        })
    }
}

impl FromRow for RepositoryAccess {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self { repository: Repository::from_row(row)?, permission: row.get("permission")? })
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
}

/// Inserts a repository with its counters; a redirect from the name ends.
///
/// # Errors
/// `Duplicate` if the owner has a repository of this name, in whatever case.
pub async fn insert(tx: &mut Tx, new: &NewRepository<'_>, now: Timestamp) -> StoreResult<Repository> {
    struct Inserted(RepositoryId);
    impl FromRow for Inserted {
        fn from_row(row: &Row<'_>) -> StoreResult<Self> {
            row.get("id").map(Self)
        }
    }
    let key = name::key(new.name);
    let Inserted(id) = tx
        .fetch_one(
            sql!(
                "INSERT INTO repositories (owner_id, name, name_key, visibility, default_branch, settings, created_by, \
                 created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id"
            ),
            params![
                new.owner.id,
                new.name,
                key.as_str(),
                new.visibility.as_str(),
                new.default_branch,
                settings_text(new.settings)?,
                new.created_by,
                now,
            ],
        )
        .await?;
    tx.execute(sql!("INSERT INTO repository_counters (repository_id) VALUES ($1)"), params![id]).await?;
    delete_redirect(tx, new.owner.id, &key).await?;
    Ok(Repository {
        id,
        owner: new.owner.clone(),
        name: new.name.to_owned(),
        visibility: new.visibility,
        default_branch: new.default_branch.to_owned(),
        settings: new.settings.clone(),
        parent_id: None,
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

async fn delete_redirect(tx: &mut Tx, owner_id: AccountId, key: &str) -> StoreResult<()> {
    tx.execute(
        sql!("DELETE FROM repository_redirects WHERE owner_id = $1 AND name_key = $2"),
        params![owner_id, key],
    )
    .await?;
    Ok(())
}
