//! Having back what was deleted, as long as its files are there.
//!
//! INVARIANT: what is deleted can be found by nobody but here. It comes back with its settings, packs, branches and tags; its
//! collaborators, labels, forks, reflog and the refs that the forge keeps for itself are gone.

use forge_git::objects::Objects;
use forge_store::refs::StoredRef;
use forge_store::repositories::DeletedRepository;
use forge_types::account::AccountStatus;
use forge_types::id::RepositoryId;
use forge_types::name::check_repository_name;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, Event, Permission, Result};

use crate::context::RequestContext;
use crate::git::{self, fault};
use crate::refs::{self, Door, Push, RefChange, Watch};
use crate::repositories::check_visibility;
use crate::target::Site;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// `OWNER/NAME`.
    pub repository: String,
    /// How many refs came back.
    pub refs: usize,
    /// The refs that could not come back, and why.
    pub problems: Vec<(String, String)>,
}

/// Returns what can be had back, newest first.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge.
pub async fn list_deleted(ctx: &RequestContext) -> Result<Vec<DeletedRepository>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    Ok(forge_store::repositories::list_deleted(&mut conn).await?)
}

/// Puts back the repository that had this id, under its old name or as `to`, an `OWNER/NAME`.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `NotFound` if there is none or its files are gone; `Invalid` if the owner
/// is no more, the name is taken, or a ref is refused: then nothing comes back, and what refuses can be changed first.
pub async fn restore_deleted(ctx: &RequestContext, id: RepositoryId, to: Option<&str>) -> Result<Restored> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    let found = forge_store::repositories::find_deleted(&mut conn, id).await?.ok_or_else(|| absent(id))?;
    let stored = forge_store::repositories::list_deleted_refs(&mut conn, id).await?;
    drop(conn);
    let (problems, changes) = changes(ctx, id, stored).await?;
    let (login, name) = match to {
        None => (found.owner_login.as_str(), found.name.as_str()),
        Some(to) => to.split_once('/').ok_or_else(|| Error::unprocessable("this takes OWNER/NAME"))?,
    };
    check_repository_name(name)?;
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let owner = forge_store::accounts::find_by_login(&mut tx, login).await?;
    let owner = owner.filter(|owner| owner.status != AccountStatus::Deleted).ok_or_else(|| {
        Error::unprocessable(format!("there is no account `{login}`; say whose it is to be"))
    })?;
    match forge_store::repositories::put_back(&mut tx, id, owner.id, name, ctx.now()).await {
        Err(error) if error.is_duplicate() => {
            let message = format!("`{login}/{name}` is taken; say what it is to be called");
            return Err(Error::unprocessable(message));
        }
        Ok(false) => return Err(absent(id)),
        other => drop(other?),
    }
    let topics: Vec<String> =
        found.topics.iter().flat_map(|topics| topics.split(' ')).map(str::to_owned).collect();
    forge_store::repositories::replace_topics(&mut tx, id, &topics).await?;
    let access = forge_store::repositories::find(&mut tx, None, id).await?.ok_or_else(Error::not_found)?;
    check_visibility(owner.kind, access.repository.visibility)?;
    let access = RepositoryAccess { permission: Some(Permission::Admin), ..access };
    let event = Event::new("repository.restored")
        .about(&access.repository)
        .with("name", access.repository.full_name())
        .with("deleted_at", found.deleted_at.to_string());
    ctx.record(&mut tx, event).await?;
    let mut restored = 0;
    if !changes.is_empty() {
        let push = Push { is_atomic: false, ..Push::by(Door::Restore) };
        let outcome = refs::update(ctx, &mut tx, &access, &push, &changes).await?;
        let refused = changes.iter().zip(&outcome.results);
        let refused = refused.filter_map(|(change, result)| Some((change.name(), result.as_ref().err()?)));
        let refused: Vec<String> = refused.map(|(name, reason)| format!("{name}: {reason}")).collect();
        if !refused.is_empty() {
            // What comes back without its refs would lose them for good.
            let message = format!("nothing came back, because refs are refused: {}", refused.join("; "));
            return Err(Error::unprocessable(message));
        }
        restored = changes.len();
    }
    git::ask_to_sort(&mut tx, id, ctx.now()).await?;
    tx.commit().await?;
    Ok(Restored { repository: access.repository.full_name(), refs: restored, problems })
}

fn absent(id: RepositoryId) -> Error {
    Error::new(ErrorKind::NotFound, format!("no deleted repository with the id {} can be had back", id.0))
}

type Problems = Vec<(String, String)>;

/// Returns what becomes of the refs, those first that cannot come back. The forge's own refs stay away.
async fn changes(
    ctx: &RequestContext,
    id: RepositoryId,
    stored: Vec<StoredRef>,
) -> Result<(Problems, Vec<RefChange>)> {
    let directory = ctx.app().git.repository(id);
    let inspect = move || {
        let mut objects = Objects::open(&directory).map_err(fault)?;
        let (mut problems, mut changes) = (Vec::new(), Vec::new());
        for entry in stored.into_iter().filter(|entry| entry.name.kind().is_writable_by_clients()) {
            let (name, watch) = (entry.name.to_string(), Watch::default());
            match RefChange::inspect(&mut objects, &watch, entry.name, None, Some(entry.object_id)) {
                Ok(change) => changes.push(change),
                Err(problem) => problems.push((name, problem)),
            }
        }
        Ok((problems, changes))
    };
    tokio::task::spawn_blocking(inspect).await.map_err(Error::internal)?
}
