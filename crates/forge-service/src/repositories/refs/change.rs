//! Creating, moving and deleting refs (<https://docs.github.com/rest/git/refs>).

use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectFormat, ObjectId, RefName, Result};

use super::list::with_kinds;
use super::{VisibleRef, Wanted, land};
use crate::context::RequestContext;
use crate::objects::{self, Opened};
use crate::refs::Door;
use crate::target::RepositoryTarget;

/// One change among several.
#[derive(Clone, Debug)]
pub struct RefUpdate {
    /// The full name.
    pub name: String,
    /// Where the ref must point now, none meaning that it must not exist; when left out, wherever it points.
    pub before: Option<Option<ObjectId>>,
    /// Where it is to point; none if it is to be deleted.
    pub after: Option<ObjectId>,
    /// May it lose history?
    pub may_force: bool,
}

/// Creates a ref.
///
/// # Errors
/// `Invalid` if there is a ref of that name, it is none that may be created, or the caller may read no such object; `Conflict`
/// if the repository is empty; what the decision about pushing says.
pub async fn create_ref(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
    sha: &str,
) -> Result<(RepositoryAccess, VisibleRef)> {
    let mut opened = open(ctx, target).await?;
    let name = readable_name(name)?;
    if opened.ref_id(&name).is_some() {
        return Err(Error::unprocessable("Reference already exists"));
    }
    let id = objects::parse(sha)?;
    check(&mut opened, id).await?;
    let wanted = Wanted { name: name.clone(), old: None, new: Some(id), may_force: false };
    land(&opened, Door::CreateRef, None, vec![wanted]).await?;
    shown(opened, name, id).await
}

/// Moves a ref.
///
/// # Errors
/// `Invalid` if there is no such ref, it may not be moved there, or would lose history without `may_force`; `Stale` if it
/// moved meanwhile; what the decision about pushing says.
pub async fn update_ref(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
    sha: &str,
    may_force: bool,
) -> Result<(RepositoryAccess, VisibleRef)> {
    let mut opened = open(ctx, target).await?;
    let (name, old) = existing(&opened, name)?;
    let id = objects::parse(sha)?;
    check(&mut opened, id).await?;
    if old != id {
        let wanted = Wanted { name: name.clone(), old: Some(old), new: Some(id), may_force };
        land(&opened, Door::UpdateRef, None, vec![wanted]).await?;
    }
    shown(opened, name, id).await
}

/// Deletes a ref.
///
/// # Errors
/// `Invalid` if there is no such ref, or it may not be deleted; `Stale` if it moved meanwhile; what the decision about
/// pushing says.
pub async fn delete_ref(ctx: &RequestContext, target: RepositoryTarget<'_>, name: &str) -> Result<()> {
    let opened = open(ctx, target).await?;
    let (name, old) = existing(&opened, name)?;
    let wanted = Wanted { name, old: Some(old), new: None, may_force: true };
    land(&opened, Door::DeleteRef, None, vec![wanted]).await
}

/// Creates, moves and deletes refs, all or none.
///
/// # Errors
/// As for each of them; `Stale` if one is not where it must be.
pub async fn update_refs(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    updates: Vec<RefUpdate>,
) -> Result<()> {
    let mut opened = open(ctx, target).await?;
    let mut wanted = Vec::with_capacity(updates.len());
    for update in updates {
        let name = readable_name(&update.name)?;
        let old = opened.ref_id(&name);
        if update.before.is_some_and(|before| before != old) {
            return Err(Error::stale(format!("`{name}` does not point to what it was expected to")));
        }
        if let Some(id) = update.after {
            check(&mut opened, id).await?;
        } else if old.is_none() {
            return Err(no_ref());
        }
        if old != update.after {
            wanted.push(Wanted { name, old, new: update.after, may_force: update.may_force });
        }
    }
    match wanted.is_empty() {
        true => Ok(()),
        false => land(&opened, Door::UpdateRefs, None, wanted).await,
    }
}

async fn open(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<Opened> {
    let opened = Opened::open(ctx, target, Action::CodePush).await?;
    opened.require_content()?;
    Ok(opened)
}

/// Reads the full name of a ref: GitHub asks for `refs/` and at least two slashes.
fn readable_name(name: &str) -> Result<RefName> {
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        let message =
            format!("`{name}` is not a full name of a ref: it begins with `refs/` and has two slashes");
        return Err(Error::unprocessable(message));
    }
    RefName::new(name).map_err(|error| Error::unprocessable(format!("`{name}` is no name of a ref: {error}")))
}

fn no_ref() -> Error {
    Error::unprocessable("Reference does not exist")
}

/// Returns a ref that readers see, and what it points to.
fn existing(opened: &Opened, name: &str) -> Result<(RefName, ObjectId)> {
    let name = RefName::new(name).map_err(|_| no_ref())?;
    let old = opened.ref_id(&name).ok_or_else(no_ref)?;
    Ok((name, old))
}

async fn check(opened: &mut Opened, id: ObjectId) -> Result<()> {
    let absent = |error: Error| match error.kind() {
        ErrorKind::NotFound => Error::unprocessable("Object does not exist"),
        _ => error,
    };
    if id == ObjectId::null(ObjectFormat::Sha1) {
        return Err(Error::unprocessable("Object does not exist"));
    }
    opened.check(&[id]).await.map_err(absent)
}

async fn shown(opened: Opened, name: RefName, id: ObjectId) -> Result<(RepositoryAccess, VisibleRef)> {
    let row = forge_store::refs::StoredRef { name, object_id: id, peeled_id: None };
    let mut items = with_kinds(opened.ctx(), &opened.access.repository, vec![row]).await?;
    let found = items.pop().ok_or_else(Error::not_found)?;
    Ok((opened.access, found))
}
