//! The refs of a repository as its readers see them.

use forge_git::objects::{ObjectKind, Objects};
use forge_store::refs::StoredRef;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::{Repository, RepositoryAccess};
use forge_types::{Action, Error, ObjectId, RefName, Result};

use crate::context::RequestContext;
use crate::git::fault;
use crate::target::{RefTarget, RepositoryTarget};

/// A ref and what kind of object it points to.
#[derive(Clone, Debug)]
pub struct VisibleRef {
    /// Its full name.
    pub name: RefName,
    /// The object it points to.
    pub id: ObjectId,
    /// What that object is.
    pub kind: &'static str,
}

/// Returns the refs of a repository whose full names start with `prefix`, by name.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn list_refs(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    prefix: &str,
    page: PageRequest,
) -> Result<(RepositoryAccess, Page<VisibleRef>)> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::CodeRead).await?;
    let page = forge_store::refs::list_page(&mut conn, found.repository.id, prefix, page).await?;
    drop(conn);
    let items = with_kinds(ctx, &found.repository, page.items).await?;
    Ok((found, Page { items, has_next: page.has_next, total: page.total }))
}

/// Returns one ref of a repository by its full name.
///
/// # Errors
/// `NotFound` if there is none, or the caller may not read the repository.
pub async fn find_ref(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
) -> Result<(RepositoryAccess, VisibleRef)> {
    let name = RefName::new(name).map_err(|_| Error::not_found())?;
    if !name.kind().is_shown() {
        return Err(Error::not_found());
    }
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, RefTarget(target, &name), Action::CodeRead).await?;
    drop(conn);
    let stored = found.part.ok_or_else(Error::not_found)?;
    let mut items = with_kinds(ctx, &found.access.repository, vec![stored]).await?;
    Ok((found.access, items.pop().ok_or_else(Error::not_found)?))
}

/// Branches point to commits; what other refs point to is looked up.
pub(super) async fn with_kinds(
    ctx: &RequestContext,
    repository: &Repository,
    rows: Vec<StoredRef>,
) -> Result<Vec<VisibleRef>> {
    let known = |row: &StoredRef| match row {
        StoredRef { peeled_id: Some(_), .. } => Some(ObjectKind::Tag),
        StoredRef { name, .. } if name.branch_name().is_some() => Some(ObjectKind::Commit),
        StoredRef { .. } => None,
    };
    let view = |row: StoredRef, kind: ObjectKind| VisibleRef {
        name: row.name,
        id: row.object_id,
        kind: kind.as_str(),
    };
    if let Some(kinds) = rows.iter().map(known).collect::<Option<Vec<_>>>() {
        return Ok(rows.into_iter().zip(kinds).map(|(row, kind)| view(row, kind)).collect());
    }
    let repository = ctx.app().git.repository(repository.id);
    let look = move || {
        let mut objects = Objects::open(&repository).map_err(fault)?;
        let kind = |row: &StoredRef, objects: &mut Objects| match known(row) {
            Some(kind) => Ok(kind),
            None => objects.header(row.object_id).map(|(kind, _)| kind).map_err(fault),
        };
        let with_kind = |row: StoredRef| kind(&row, &mut objects).map(|kind| view(row, kind));
        rows.into_iter().map(with_kind).collect()
    };
    tokio::task::spawn_blocking(look).await.map_err(Error::internal)?
}
