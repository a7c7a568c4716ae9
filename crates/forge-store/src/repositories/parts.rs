//! A repository together with something that lies in it, in one statement: beside authentication, that is all a read
//! of a part costs.

use forge_types::RefName;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::label::Label;
use forge_types::name::key;
use forge_types::page::PageRequest;
use forge_types::repository::RepositoryAccess;

use crate::refs::StoredRef;
use crate::row::{FromRow, Row};
use crate::statement::{params, sql};
use crate::{Conn, StoreResult};

/// How a repository is named.
#[derive(Clone, Copy, Debug)]
pub enum RepositoryPlace<'a> {
    /// `OWNER/NAME`, present or former.
    Name(&'a str, &'a str),
    /// Its id.
    Id(RepositoryId),
}

impl RepositoryPlace<'_> {
    /// Returns the parameters `$2` to `$4` of `at_place`.
    fn parts(self) -> (Option<RepositoryId>, Option<String>, Option<String>) {
        match self {
            Self::Name(owner, name) => (None, Some(key(owner)), Some(key(name))),
            Self::Id(id) => (Some(id), None, None),
        }
    }
}

/// The repository `r`, owned by `o`, that lies at the place `$2` to `$4`. The limit keeps databases from asking again for
/// each row that is joined to it.
macro_rules! at_place {
    () => {
        "repositories r JOIN accounts o ON o.id = r.owner_id WHERE r.id = COALESCE(CAST($2 AS BIGINT), \
         (SELECT n.id FROM repositories n JOIN accounts w ON w.id = n.owner_id \
             WHERE w.login_key = $3 AND n.name_key = $4), \
         (SELECT d.repository_id FROM repository_redirects d JOIN accounts w ON w.id = d.owner_id \
             WHERE w.login_key = $3 AND d.name_key = $4)) LIMIT 1"
    };
}

/// The columns of a label `l` beside those of a repository.
macro_rules! beside_label {
    () => {
        "l.id AS label_id, l.name AS label_name, l.color AS label_color, l.description AS label_description, \
         l.is_default AS label_is_default, l.created_at AS label_created_at, l.updated_at AS label_updated_at"
    };
}

/// A repository and what was joined to it.
struct Joined<T>(RepositoryAccess, Option<T>);

impl FromRow for Joined<Label> {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let access = RepositoryAccess::from_row(row)?;
        let Some(id) = row.get("label_id")? else { return Ok(Self(access, None)) };
        let label = Label {
            id,
            repository_id: access.repository.id,
            name: row.get("label_name")?,
            color: row.get("label_color")?,
            description: row.get("label_description")?,
            is_default: row.get("label_is_default")?,
            created_at: row.get("label_created_at")?,
            updated_at: row.get("label_updated_at")?,
        };
        Ok(Self(access, Some(label)))
    }
}

impl FromRow for Joined<StoredRef> {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        let access = RepositoryAccess::from_row(row)?;
        let Some(object_id) = row.get("ref_object_id")? else { return Ok(Self(access, None)) };
        let found = StoredRef { name: row.get("ref_name")?, object_id, peeled_id: row.get("ref_peeled_id")? };
        Ok(Self(access, Some(found)))
    }
}

/// A repository with one of its labels, and how many it has.
struct Counted(Joined<Label>, i64);

impl FromRow for Counted {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self(Joined::from_row(row)?, row.get("label_total")?))
    }
}

/// Returns a repository with a page of its labels, oldest first, and how many it has. None is also what a page after the
/// last one gives.
///
/// # Errors
/// Only faults of the database.
pub async fn find_with_labels(
    conn: &mut Conn,
    caller: Option<AccountId>,
    place: RepositoryPlace<'_>,
    page: PageRequest,
) -> StoreResult<Option<(RepositoryAccess, Vec<Label>, i64)>> {
    let (id, owner, name) = place.parts();
    let rows: Vec<Counted> = conn
        .fetch_all(
            sql!(
                "SELECT q.*, ",
                beside_label!(),
                ", (SELECT COUNT(*) FROM labels c WHERE c.repository_id = q.id) AS label_total FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission FROM ",
                at_place!(),
                ") q LEFT JOIN labels l ON l.repository_id = q.id ORDER BY l.id LIMIT $5 OFFSET $6"
            ),
            params![caller, id, owner, name, page.limit_with_lookahead(), page.offset()],
        )
        .await?;
    let mut found = None;
    for Counted(Joined(access, label), total) in rows {
        found.get_or_insert_with(|| (access, Vec::new(), total)).1.extend(label);
    }
    Ok(found)
}

/// Returns a repository with its label of this name, in whatever case.
///
/// # Errors
/// Only faults of the database.
pub async fn find_with_label(
    conn: &mut Conn,
    caller: Option<AccountId>,
    place: RepositoryPlace<'_>,
    label: &str,
) -> StoreResult<Option<(RepositoryAccess, Option<Label>)>> {
    let (id, owner, name) = place.parts();
    let found: Option<Joined<Label>> = conn
        .fetch_optional(
            sql!(
                "SELECT q.*, ",
                beside_label!(),
                " FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission FROM ",
                at_place!(),
                ") q LEFT JOIN labels l ON l.repository_id = q.id AND l.name_key = $5"
            ),
            params![caller, id, owner, name, crate::labels::key(label)],
        )
        .await?;
    Ok(found.map(|Joined(access, label)| (access, label)))
}

/// Returns a repository with its ref of this name, of whatever kind.
///
/// # Errors
/// Only faults of the database.
pub async fn find_with_ref(
    conn: &mut Conn,
    caller: Option<AccountId>,
    place: RepositoryPlace<'_>,
    ref_name: &RefName,
) -> StoreResult<Option<(RepositoryAccess, Option<StoredRef>)>> {
    let (id, owner, name) = place.parts();
    let found: Option<Joined<StoredRef>> = conn
        .fetch_optional(
            sql!(
                "SELECT q.*, f.name AS ref_name, f.object_id AS ref_object_id, f.peeled_id AS ref_peeled_id FROM (SELECT ",
                repository_columns!(),
                ", ",
                permission_rank!(),
                " AS permission FROM ",
                at_place!(),
                ") q LEFT JOIN refs f ON f.repository_id = q.id AND f.name = $5"
            ),
            params![caller, id, owner, name, ref_name.as_str()],
        )
        .await?;
    Ok(found.map(|Joined(access, found)| (access, found)))
}
