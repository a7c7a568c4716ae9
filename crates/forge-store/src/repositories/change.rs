//! What happens to a repository after it was created.

use forge_types::account::AccountRef;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::repository::Repository;
use forge_types::{Timestamp, name};

use super::{delete_redirect, settings_text};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// Writes visibility, default branch, settings and archive state; the name and owner have functions of their own, topics
/// too.
///
/// # Errors
/// Only faults of the database.
pub async fn update(tx: &mut Tx, repository: &Repository) -> StoreResult<()> {
    tx.execute(
        sql!(
            "UPDATE repositories SET visibility = $2, default_branch = $3, settings = $4, description = $5, \
             archived_at = $6, updated_at = $7 WHERE id = $1"
        ),
        params![
            repository.id,
            repository.visibility.as_str(),
            repository.default_branch.as_str(),
            settings_text(&repository.settings)?,
            repository.settings.description.as_deref(),
            repository.archived_at,
            repository.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Gives a repository another name; the old one leads to it from now on.
///
/// # Errors
/// `Duplicate` if the owner has a repository of this name, in whatever case.
pub async fn rename(tx: &mut Tx, repository: &Repository, new_name: &str, now: Timestamp) -> StoreResult<()> {
    let (old_key, new_key) = (name::key(&repository.name), name::key(new_name));
    tx.execute(
        sql!("UPDATE repositories SET name = $2, name_key = $3, updated_at = $4 WHERE id = $1"),
        params![repository.id, new_name, new_key.as_str(), now],
    )
    .await?;
    delete_redirect(tx, repository.owner.id, &new_key).await?;
    if old_key != new_key {
        redirect(tx, repository.owner.id, &old_key, repository.id, now).await?;
    }
    Ok(())
}

/// Gives a repository another owner, and perhaps another name; the old place leads to it from now on.
///
/// # Errors
/// `Duplicate` if the new owner has a repository of this name, in whatever case.
pub async fn transfer(
    tx: &mut Tx,
    repository: &Repository,
    new_owner: &AccountRef,
    new_name: &str,
    now: Timestamp,
) -> StoreResult<()> {
    let new_key = name::key(new_name);
    tx.execute(
        sql!(
            "UPDATE repositories SET owner_id = $2, name = $3, name_key = $4, updated_at = $5 WHERE id = $1"
        ),
        params![repository.id, new_owner.id, new_name, new_key.as_str(), now],
    )
    .await?;
    // Teams belong to the organization that no longer owns it.
    tx.execute(sql!("DELETE FROM team_repositories WHERE repository_id = $1"), params![repository.id])
        .await?;
    tx.execute(
        sql!("DELETE FROM collaborators WHERE repository_id = $1 AND account_id = $2"),
        params![repository.id, new_owner.id],
    )
    .await?;
    delete_redirect(tx, new_owner.id, &new_key).await?;
    redirect(tx, repository.owner.id, &name::key(&repository.name), repository.id, now).await
}

/// Makes the free name `key` of `owner` lead to a repository.
///
/// # Errors
/// Only faults of the database.
pub async fn redirect(
    tx: &mut Tx,
    owner: AccountId,
    key: &str,
    to: RepositoryId,
    now: Timestamp,
) -> StoreResult<()> {
    tx.execute(
        sql!(
            "INSERT INTO repository_redirects (owner_id, name_key, repository_id, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (owner_id, name_key) DO UPDATE SET repository_id = excluded.repository_id, \
             created_at = excluded.created_at"
        ),
        params![owner, key, to, now],
    )
    .await?;
    Ok(())
}

/// Returns every repository of an owner, for use cases that end the owner.
///
/// # Errors
/// Only faults of the database.
pub async fn list_to_delete(conn: &mut Conn, owner: AccountId) -> StoreResult<Vec<Repository>> {
    conn.fetch_all(
        sql!(
            "SELECT ",
            repository_columns!(),
            " FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.owner_id = $1 ORDER BY r.id"
        ),
        params![owner],
    )
    .await
}

/// Deletes a repository with its refs, packs' rows, labels, collaborators and redirects. Its files are removed by a job.
///
/// # Errors
/// Only faults of the database.
pub async fn delete(tx: &mut Tx, id: RepositoryId) -> StoreResult<bool> {
    let rows = tx.execute(sql!("DELETE FROM repositories WHERE id = $1"), params![id]).await?;
    Ok(rows == 1)
}
