//! Refs: what they point to, and moving them by compare-and-swap.
//!
//! INVARIANT: only the ref gate of `forge-service` calls the functions that write. It takes [`lock`] first, so that the
//! checks of one transaction hold until it commits.

pub(crate) mod batch;
mod change;

pub use change::{Creation, Deletion, Move, create, delete, update};

use forge_types::id::RepositoryId;
use forge_types::page::{Page, PageRequest};
use forge_types::{ObjectId, RefKind, RefName};

use crate::row::{Column, Row, Value, corrupt, from_row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult, Tx};
use batch::{name_list, pieces};

impl Column for ObjectId {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let bytes: Vec<u8> = row.get(name)?;
        Self::from_bytes(&bytes).map_err(|_| corrupt(name, "bytes that are no object id"))
    }
}

impl Column for Option<ObjectId> {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let bytes: Option<Vec<u8>> = row.get(name)?;
        let read = |bytes: Vec<u8>| {
            ObjectId::from_bytes(&bytes).map_err(|_| corrupt(name, "bytes that are no object id"))
        };
        bytes.map(read).transpose()
    }
}

impl Column for RefName {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        Self::new(text.as_str()).map_err(|_| corrupt(name, &text))
    }
}

impl From<ObjectId> for Value {
    fn from(id: ObjectId) -> Self {
        Self::Bytes(Some(id.as_bytes().to_vec()))
    }
}

impl From<Option<ObjectId>> for Value {
    fn from(id: Option<ObjectId>) -> Self {
        Self::Bytes(id.map(|id| id.as_bytes().to_vec()))
    }
}

/// A ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRef {
    /// Its full name.
    pub name: RefName,
    /// The object it points to.
    pub object_id: ObjectId,
    /// For an annotated tag, the object it stands for.
    pub peeled_id: Option<ObjectId>,
}

from_row!(StoredRef { name, object_id, peeled_id });

struct ObjectRow {
    object_id: ObjectId,
}

from_row!(ObjectRow { object_id });

pub(crate) struct NameRow {
    pub(crate) name: RefName,
}

from_row!(NameRow { name });

/// The counters of a repository whose refs are being changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// How often its refs changed, this time included.
    pub ref_generation: i64,
    /// How often its packs were sorted anew.
    pub rebuilds: i64,
    /// How often a visible ref lost history, this time included.
    pub rewrites: i64,
}

from_row!(Locked { ref_generation, rebuilds, rewrites });

/// Returns the number under which a kind is kept.
pub(crate) const fn kind_number(kind: RefKind) -> i64 {
    match kind {
        RefKind::Branch | RefKind::Tag | RefKind::Note | RefKind::Other => 0,
        RefKind::Pull => 1,
        RefKind::Internal => 2,
    }
}

/// Returns the refs that are shown to every reader of the repository, those of pull requests among them, in the order of their
/// names' bytes.
///
/// # Errors
/// Only faults of the database.
pub async fn list_shown(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<StoredRef>> {
    conn.fetch_all(
        sql!(
            "SELECT name, object_id, peeled_id FROM refs WHERE repository_id = $1 AND kind <= 1 ORDER BY name"
        ),
        params![repository],
    )
    .await
}

/// Returns the refs that belong to the repository itself, in the order of their names' bytes.
///
/// # Errors
/// Only faults of the database.
pub async fn list_visible(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<StoredRef>> {
    conn.fetch_all(
        sql!(
            "SELECT name, object_id, peeled_id FROM refs WHERE repository_id = $1 AND kind = 0 ORDER BY name"
        ),
        params![repository],
    )
    .await
}

/// Returns the refs that are shown and whose names start with `prefix`, in the order of their names' bytes.
///
/// # Errors
/// Only faults of the database.
pub async fn list_page(
    conn: &mut Conn,
    repository: RepositoryId,
    prefix: &str,
    page: PageRequest,
) -> StoreResult<Page<StoredRef>> {
    conn.fetch_page(
        sql!(
            "SELECT name, object_id, peeled_id, COUNT(*) OVER () AS total FROM refs WHERE repository_id = $1 AND kind <= 1 \
             AND name >= $2 AND name < $3 ORDER BY name LIMIT $4 OFFSET $5"
        ),
        params![
            repository,
            prefix,
            format!("{prefix}{}", char::MAX)],
        page,
    )
    .await
}

/// Returns the ref of that name, of whatever kind.
///
/// # Errors
/// Only faults of the database.
pub async fn find(
    conn: &mut Conn,
    repository: RepositoryId,
    name: &RefName,
) -> StoreResult<Option<StoredRef>> {
    conn.fetch_optional(
        sql!("SELECT name, object_id, peeled_id FROM refs WHERE repository_id = $1 AND name = $2"),
        params![repository, name.as_str()],
    )
    .await
}

/// Returns the ref whose name a case-insensitive file system takes for this one.
///
/// # Errors
/// Only faults of the database.
pub async fn find_by_fold(
    conn: &mut Conn,
    repository: RepositoryId,
    name: &RefName,
) -> StoreResult<Option<StoredRef>> {
    conn.fetch_optional(
        sql!("SELECT name, object_id, peeled_id FROM refs WHERE repository_id = $1 AND fold_key = $2"),
        params![repository, name.fold()],
    )
    .await
}

/// Returns the objects that the refs of all kinds point to.
///
/// # Errors
/// Only faults of the database.
pub async fn list_object_ids(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<ObjectId>> {
    let rows: Vec<ObjectRow> = conn
        .fetch_all(sql!("SELECT DISTINCT object_id FROM refs WHERE repository_id = $1"), params![repository])
        .await?;
    Ok(rows.into_iter().map(|row| row.object_id).collect())
}

/// Returns the objects that the refs of a kind that every reader sees point to, and those of the others.
///
/// # Errors
/// Only faults of the database.
pub async fn list_tips(
    conn: &mut Conn,
    repository: RepositoryId,
) -> StoreResult<(Vec<ObjectId>, Vec<ObjectId>)> {
    struct Tip {
        object_id: ObjectId,
        kind: i64,
    }
    from_row!(Tip { object_id, kind });
    let rows: Vec<Tip> = conn
        .fetch_all(
            sql!("SELECT DISTINCT object_id, kind FROM refs WHERE repository_id = $1"),
            params![repository],
        )
        .await?;
    let (visible, hidden): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.kind == 0);
    let ids = |rows: Vec<Tip>| rows.into_iter().map(|row| row.object_id).collect();
    Ok((ids(visible), ids(hidden)))
}

/// Returns which of these objects refs of any kind point to.
///
/// # Errors
/// Only faults of the database.
pub async fn list_tips_among(
    conn: &mut Conn,
    repository: RepositoryId,
    objects: &[ObjectId],
) -> StoreResult<Vec<ObjectId>> {
    let mut found: Vec<ObjectRow> = Vec::new();
    for piece in pieces(objects) {
        let mut values = params![repository];
        values.extend(piece.iter().map(|object| Value::from(**object)));
        let rows = if piece.len() == 1 {
            let one = sql!("SELECT object_id FROM refs WHERE repository_id = $1 AND object_id = $2 LIMIT 1");
            conn.fetch_all(one, values).await?
        } else {
            let many = sql!(
                "SELECT DISTINCT object_id FROM refs WHERE repository_id = $1 AND object_id IN (",
                name_list!(),
                ")"
            );
            conn.fetch_all(many, values).await?
        };
        found.extend(rows);
    }
    Ok(found.into_iter().map(|row| row.object_id).collect())
}

/// Returns one branch, if there is any.
///
/// # Errors
/// Only faults of the database.
pub async fn find_any_branch(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Option<RefName>> {
    let row: Option<NameRow> = conn
        .fetch_optional(
            sql!(
                "SELECT name FROM refs WHERE repository_id = $1 AND name >= 'refs/heads/' AND name < 'refs/heads0' \
                 ORDER BY name LIMIT 1"
            ),
            params![repository],
        )
        .await?;
    Ok(row.map(|row| row.name))
}

/// Returns which of these names are refs.
///
/// # Errors
/// Only faults of the database.
pub async fn list_existing(
    conn: &mut Conn,
    repository: RepositoryId,
    names: &[&str],
) -> StoreResult<Vec<RefName>> {
    let mut found: Vec<NameRow> = Vec::new();
    for piece in pieces(names) {
        let mut values = params![repository];
        values.extend(piece.iter().map(|name| Value::from(**name)));
        let rows = if piece.len() == 1 {
            let one = sql!("SELECT name FROM refs WHERE repository_id = $1 AND name = $2");
            conn.fetch_all(one, values).await?
        } else {
            let many =
                sql!("SELECT name FROM refs WHERE repository_id = $1 AND name IN (", name_list!(), ")");
            conn.fetch_all(many, values).await?
        };
        found.extend(rows);
    }
    Ok(found.into_iter().map(|row| row.name).collect())
}

/// Returns the names of all refs, in no order.
///
/// # Errors
/// Only faults of the database.
pub async fn list_names(conn: &mut Conn, repository: RepositoryId) -> StoreResult<Vec<RefName>> {
    let rows: Vec<NameRow> =
        conn.fetch_all(sql!("SELECT name FROM refs WHERE repository_id = $1"), params![repository]).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Returns one ref that would lie below this one if it were a directory.
///
/// # Errors
/// Only faults of the database.
pub async fn find_below(
    conn: &mut Conn,
    repository: RepositoryId,
    name: &RefName,
) -> StoreResult<Option<RefName>> {
    // `0` follows `/`: the range holds exactly the names that begin with this one and a slash.
    let row: Option<NameRow> = conn
        .fetch_optional(
            sql!("SELECT name FROM refs WHERE repository_id = $1 AND name >= $2 AND name < $3 ORDER BY name LIMIT 1"),
            params![repository, format!("{name}/"), format!("{name}0")],
        )
        .await?;
    Ok(row.map(|row| row.name))
}

/// Keeps every other transaction from changing refs of the repository until this one ends, and counts the change, and whether
/// a visible ref may lose history by it. `None` if the repository is gone.
///
/// # Errors
/// Only faults of the database.
pub async fn lock(tx: &mut Tx, repository: RepositoryId, loses_history: bool) -> StoreResult<Option<Locked>> {
    tx.fetch_optional(
        sql!(
            "UPDATE repository_counters SET ref_generation = ref_generation + 1, rewrites = rewrites + $2 \
             WHERE repository_id = $1 RETURNING ref_generation, rebuilds, rewrites"
        ),
        params![repository, i64::from(loses_history)],
    )
    .await
}
