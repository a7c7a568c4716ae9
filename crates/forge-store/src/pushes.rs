//! Pushes: one row for all ref changes of one request, the reflog, and the packs that came with them.

use forge_types::id::{AccountId, CredentialId, PushId, RepositoryId};
use forge_types::{ObjectId, RefName, Timestamp};

use crate::refs::batch::{parameters, pieces, reflog_rows};
use crate::row::from_row;
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};

/// What a new push is made of.
#[derive(Clone, Debug)]
pub struct NewPush<'a> {
    /// Whose refs change.
    pub repository_id: RepositoryId,
    /// Who changes them.
    pub actor_id: AccountId,
    /// The human who acts through a switch session.
    pub acting_id: Option<AccountId>,
    /// The credential used.
    pub credential_id: Option<CredentialId>,
    /// Which door it came by, such as `git:push`.
    pub door: &'a str,
    /// The pack that came with it.
    pub pack: Option<NewPack<'a>>,
    /// The push options, as a JSON array of strings.
    pub options: &'a str,
    /// The request.
    pub request_id: &'a str,
}

/// A pack that is durably in the repository's directory.
#[derive(Clone, Copy, Debug)]
pub struct NewPack<'a> {
    /// Its file name without extension.
    pub name: &'a str,
    /// How many objects it has.
    pub object_count: i64,
    /// How many bytes it and its index have.
    pub size_bytes: i64,
    /// What is known of its content.
    pub content: PackContent,
}

/// What is known of the content of a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PackContent {
    /// Nothing: a push brought it.
    #[default]
    Any,
    /// Exactly what the visible refs reached when the repository had counted so many rewrites.
    VisibleAt(i64),
    /// Only what no ref reached.
    Cruft,
}

/// One changed ref.
#[derive(Clone, Debug)]
pub struct NewReflogEntry<'a> {
    /// The ref.
    pub ref_name: &'a RefName,
    /// What it pointed to; none if it was created.
    pub old: Option<ObjectId>,
    /// What it points to; none if it was deleted.
    pub new: Option<ObjectId>,
    /// Did it lose history?
    pub is_forced: bool,
}

struct Inserted {
    id: PushId,
}

from_row!(Inserted { id });

/// Inserts a push with its pack, and notes on the repository that it was pushed to.
///
/// # Errors
/// Only faults of the database.
pub async fn insert(tx: &mut Tx, new: &NewPush<'_>, now: Timestamp) -> StoreResult<PushId> {
    let inserted: Inserted = tx
        .fetch_one(
            sql!(
                "INSERT INTO pushes (repository_id, actor_id, acting_id, credential_id, door, pack_name, options, \
                 request_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id"
            ),
            params![
                new.repository_id,
                new.actor_id,
                new.acting_id,
                new.credential_id,
                new.door,
                new.pack.map(|pack| pack.name),
                new.options,
                new.request_id,
                now,
            ],
        )
        .await?;
    let size = new.pack.map_or(0, |pack| pack.size_bytes);
    tx.execute(
        sql!("UPDATE repositories SET pushed_at = $2, size_bytes = size_bytes + $3 WHERE id = $1"),
        params![new.repository_id, now, size],
    )
    .await?;
    if let Some(pack) = new.pack {
        insert_pack(tx, new.repository_id, pack, now).await?;
    }
    Ok(inserted.id)
}

/// Puts a pack on the manifest of its repository. One that is there stays as it is: an operator took up what lay in the
/// directory between its becoming durable and this.
async fn insert_pack(
    tx: &mut Tx,
    repository: RepositoryId,
    pack: NewPack<'_>,
    now: Timestamp,
) -> StoreResult<()> {
    let (visible_at, is_cruft) = match pack.content {
        PackContent::Any => (None, false),
        PackContent::VisibleAt(rewrites) => (Some(rewrites), false),
        PackContent::Cruft => (None, true),
    };
    tx.execute(
        sql!(
            "INSERT INTO packs (repository_id, name, object_count, size_bytes, created_at, visible_at, is_cruft) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (repository_id, name) DO NOTHING"
        ),
        params![repository, pack.name, pack.object_count, pack.size_bytes, now, visible_at, is_cruft],
    )
    .await?;
    Ok(())
}

/// Replaces packs on the manifest of a repository by others that have their objects; returns whether all of them were on it.
/// If not, the transaction is to be dropped. `is_rebuild` says that objects which no ref reached may be gone.
///
/// # Errors
/// Only faults of the database.
pub async fn replace_packs(
    tx: &mut Tx,
    repository: RepositoryId,
    old: &[String],
    new: &[NewPack<'_>],
    is_rebuild: bool,
    now: Timestamp,
) -> StoreResult<bool> {
    let counted = tx
        .execute(
            sql!(
                "UPDATE repository_counters SET gc_epoch = gc_epoch + 1, rebuilds = rebuilds + $2 \
                 WHERE repository_id = $1"
            ),
            params![repository, i64::from(is_rebuild)],
        )
        .await?;
    let mut removed = 0;
    for name in old {
        removed += tx
            .execute(
                sql!("DELETE FROM packs WHERE repository_id = $1 AND name = $2"),
                params![repository, name.as_str()],
            )
            .await?;
    }
    for pack in new {
        insert_pack(tx, repository, *pack, now).await?;
    }
    tx.execute(
        sql!(
            "UPDATE repositories SET size_bytes = (SELECT CAST(COALESCE(SUM(p.size_bytes), 0) AS BIGINT) FROM packs p \
             WHERE p.repository_id = $1) WHERE id = $1"
        ),
        params![repository],
    )
    .await?;
    Ok(counted == 1 && removed == old.len() as u64)
}

/// Puts a pack that lies in the directory of a repository, and that no push brings, on its manifest.
///
/// # Errors
/// Only faults of the database.
pub async fn adopt_pack(
    tx: &mut Tx,
    repository: RepositoryId,
    pack: NewPack<'_>,
    now: Timestamp,
) -> StoreResult<()> {
    insert_pack(tx, repository, pack, now).await?;
    tx.execute(
        sql!("UPDATE repositories SET size_bytes = size_bytes + $2 WHERE id = $1"),
        params![repository, pack.size_bytes],
    )
    .await?;
    Ok(())
}

/// Inserts the reflog of a push.
///
/// # Errors
/// Only faults of the database.
pub async fn insert_reflog(
    tx: &mut Tx,
    push: PushId,
    new: &NewPush<'_>,
    entries: &[NewReflogEntry<'_>],
    now: Timestamp,
) -> StoreResult<()> {
    let of_row = |row: &NewReflogEntry<'_>| params![row.ref_name.as_str(), row.old, row.new, row.is_forced];
    for piece in pieces(entries) {
        let once = params![new.repository_id, push, new.actor_id, new.acting_id, now];
        let values = parameters(once, &piece, of_row);
        if piece.len() == 1 {
            let one = sql!(
                "INSERT INTO reflog (repository_id, push_id, ref_name, old_id, new_id, actor_id, acting_id, is_forced, \
                 created_at) VALUES ($1, $2, $6, $7, $8, $3, $4, $9, $5) ON CONFLICT DO NOTHING"
            );
            tx.execute(one, values).await?;
        } else {
            let many = sql!(
                "INSERT INTO reflog (repository_id, push_id, ref_name, old_id, new_id, actor_id, acting_id, is_forced, \
                 created_at) VALUES ",
                reflog_rows!(),
                " ON CONFLICT DO NOTHING"
            );
            tx.execute(many, values).await?;
        }
    }
    Ok(())
}

/// An entry of the reflog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReflogEntry {
    /// The push it belongs to.
    pub push_id: PushId,
    /// The ref.
    pub ref_name: RefName,
    /// What it pointed to.
    pub old_id: Option<ObjectId>,
    /// What it pointed to afterwards.
    pub new_id: Option<ObjectId>,
    /// Who changed it.
    pub actor_id: AccountId,
    /// The human who acted through a switch session.
    pub acting_id: Option<AccountId>,
    /// Did it lose history?
    pub is_forced: bool,
    /// When.
    pub created_at: Timestamp,
}

from_row!(ReflogEntry { push_id, ref_name, old_id, new_id, actor_id, acting_id, is_forced, created_at });

/// Returns what happened to a ref, newest first.
///
/// # Errors
/// Only faults of the database.
pub async fn list_reflog(
    conn: &mut Conn,
    repository: RepositoryId,
    name: &RefName,
    limit: i64,
) -> StoreResult<Vec<ReflogEntry>> {
    conn.fetch_all(
        sql!(
            "SELECT push_id, ref_name, old_id, new_id, actor_id, acting_id, is_forced, created_at FROM reflog \
             WHERE repository_id = $1 AND ref_name = $2 ORDER BY id DESC LIMIT $3"
        ),
        params![repository, name.as_str(), limit],
    )
    .await
}

/// Makes another branch the one that `HEAD` names, if the present one is still as expected.
///
/// # Errors
/// Only faults of the database.
pub async fn adopt_default_branch(
    tx: &mut Tx,
    repository: RepositoryId,
    expected: &str,
    branch: &str,
) -> StoreResult<bool> {
    let rows = tx
        .execute(
            sql!("UPDATE repositories SET default_branch = $3 WHERE id = $1 AND default_branch = $2"),
            params![repository, expected, branch],
        )
        .await?;
    Ok(rows == 1)
}
