//! Forking: a repository of one's own that begins with the refs and objects of another
//! (<https://docs.github.com/rest/repos/forks>).
//!
//! The packs of a fork come to lie in its directory before there is a row, under an id that was reserved; then one transaction
//! makes the repository, its manifest and its refs, with audit, reflog and jobs. A fork that comes to nothing was never there.
//! INVARIANT: what a fork has is what the visible refs of its parent reached at one moment, and the parent has lost none of it by the
//! time the fork begins. So a fork never brings back what was removed, and never shows what was hidden.

use std::sync::Arc;

use forge_git::objects::Objects;
use forge_git::{Claim, Heritage, LARGE};
use forge_store::Tx;
use forge_store::accounts::Hold;
use forge_store::pushes::PackContent;
use forge_store::repositories::Lineage;
use forge_types::account::AccountRef;
use forge_types::id::RepositoryId;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::{Repository, RepositoryAccess, Visibility};
use forge_types::repository_query::RepositoryOrder;
use forge_types::{Action, Error, ObjectId, RefName, Result};

use super::create::{NewRepository, Place, RepositoryOwner, insert_with};
use super::{SettingsChanges, name_taken};
use crate::app::App;
use crate::context::RequestContext;
use crate::git::{self, Fate, State, fault, settle};
use crate::refs::{self, Door, Push, RefChange, Watch};
use crate::standing::Standing;
use crate::target::RepositoryTarget;

/// How often it is begun anew when the parent loses history meanwhile.
const TRIES: usize = 3;

/// How many names are tried if the caller chose none: `NAME`, `NAME-1`, ….
const NAMES: usize = 20;

/// What a fork is to be.
#[derive(Clone, Debug, Default)]
pub struct NewFork {
    /// The organization that it is for; the caller when absent.
    pub organization: Option<String>,
    /// Its name; the parent's, or one like it, when absent.
    pub name: Option<String>,
    /// Is the default branch all that it takes over?
    pub default_branch_only: bool,
}

/// Forks a repository. Who has a repository of the same network gets that one, as on GitHub: nobody owns two of them.
///
/// # Errors
/// What the decisions about the parent and about the new place say; `Forbidden` if the parent is empty; `Invalid` if the name is
/// taken; `Conflict` if the parent loses history again and again meanwhile.
pub async fn fork(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    new: &NewFork,
) -> Result<RepositoryAccess> {
    let share = Arc::new(ctx.app().git.fetches.take(ctx).await?);
    let first = {
        let mut conn = ctx.read().await?;
        ctx.authorize(&mut conn, target, Action::RepositoryFork).await?.repository.id
    };
    for _ in 0..TRIES {
        let begun = match Origin::find(ctx, first, new).await? {
            Found::Existing(existing) => return Ok(*existing),
            Found::Origin(origin) => origin,
        };
        // Whoever hangs up keeps the share taken for as long as the work goes on.
        let (work, held) = (begun.grow(ctx.clone()), Arc::clone(&share));
        let work = async move {
            let _held = held;
            work.await
        };
        match tokio::spawn(work).await.map_err(Error::internal)?? {
            Some(id) => return super::find(ctx, RepositoryTarget::Id(id)).await,
            None => continue,
        }
    }
    Err(Error::conflict("the repository loses history all the time, please try again later"))
}

/// Returns the forks of a repository that the caller may read.
///
/// # Errors
/// What the decision about the parent says.
pub async fn forks(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    order: RepositoryOrder,
    page: PageRequest,
) -> Result<Page<RepositoryAccess>> {
    let mut conn = ctx.read().await?;
    let parent = ctx.authorize(&mut conn, target, Action::RepositoryRead).await?;
    let id = parent.repository.id;
    Ok(forge_store::repositories::list_forks(&mut conn, ctx.visible_to(), id, order, page).await?)
}

/// Returns the parent of a fork and the source of its network, as far as the caller may read them. Costs nothing for others.
///
/// # Errors
/// Only faults of the forge.
pub async fn relatives(
    ctx: &RequestContext,
    repository: &Repository,
) -> Result<(Option<RepositoryAccess>, Option<RepositoryAccess>)> {
    let Some(parent_id) = repository.parent_id else { return Ok((None, None)) };
    let source_id = repository.network_id();
    let found = super::find_many(ctx, &[parent_id, source_id]).await?;
    let of = |id: RepositoryId| found.iter().find(|access| access.repository.id == id).cloned();
    Ok((of(parent_id), of(source_id)))
}

enum Found {
    /// The owner has one of the network.
    Existing(Box<RepositoryAccess>),
    /// There is to be one.
    Origin(Box<Origin>),
}

/// What a fork is made of, as it was seen at one moment.
struct Origin {
    parent: RepositoryAccess,
    state: Arc<State>,
    /// How often the parent had lost history before it was looked at.
    rewrites: i64,
    owner: AccountRef,
    new: NewFork,
    refs: Vec<(RefName, ObjectId)>,
}

impl Origin {
    async fn find(ctx: &RequestContext, id: RepositoryId, new: &NewFork) -> Result<Found> {
        if let Some(existing) = Self::existing(ctx, id, new).await? {
            return Ok(Found::Existing(Box::new(existing)));
        }
        sort_if_worth(ctx.app(), id).await?;
        let mut conn = ctx.read().await?;
        // In this order: what is lost after the count was read is noticed.
        let rewrites = forge_store::inventory::count_rewrites(&mut conn, id).await?;
        let parent = ctx.authorize(&mut conn, RepositoryTarget::Id(id), Action::RepositoryFork).await?;
        let place = Place::find(ctx, &mut conn, owner(new), visibility(&parent.repository)).await?;
        drop(conn);
        let state = ctx.app().git.state(&parent)?;
        let refs = taken(&state, ctx, &parent.repository, new).await?;
        if refs.is_empty() {
            let message =
                "The repository exists, but it contains no Git content. Empty repositories cannot be forked.";
            return Err(Error::forbidden(message));
        }
        let rewrites = rewrites.ok_or_else(Error::not_found)?;
        let (owner, new) = (place.owner, new.clone());
        Ok(Found::Origin(Box::new(Self { parent, state, rewrites, owner, new, refs })))
    }

    /// Returns what the owner has of the network already, if the caller may fork there at all.
    async fn existing(
        ctx: &RequestContext,
        id: RepositoryId,
        new: &NewFork,
    ) -> Result<Option<RepositoryAccess>> {
        let mut conn = ctx.read().await?;
        let parent = ctx.authorize(&mut conn, RepositoryTarget::Id(id), Action::RepositoryFork).await?;
        let place = Place::find(ctx, &mut conn, owner(new), visibility(&parent.repository)).await?;
        let network = parent.repository.network_id();
        let found =
            forge_store::repositories::find_in_network(&mut conn, ctx.rights_id(), place.owner.id, network);
        let Some(found) = found.await? else { return Ok(None) };
        ctx.permit(&found, Action::RepositoryRead)?;
        Ok(Some(found))
    }

    /// Makes the fork; `None` if the parent lost history meanwhile.
    async fn grow(self: Box<Self>, ctx: RequestContext) -> Result<Option<RepositoryId>> {
        let (id, name) = self.reserve(&ctx).await?;
        let claim = claim(ctx.app(), id).await?;
        let heritage = match self.inherit(&ctx, id).await {
            Ok(heritage) => heritage,
            Err(error) => {
                abandon(ctx.app(), id, Heritage::default(), claim).await;
                return Err(error);
            }
        };
        let committed = match self.write(&ctx, id, name, &heritage).await {
            Ok(Some(tx)) => {
                forge_git::crash::point("fork/before-commit");
                tx.commit().await.map_err(Error::from)
            }
            refused => {
                abandon(ctx.app(), id, heritage, claim).await;
                return refused.map(|_| None);
            }
        };
        forge_git::crash::point("fork/after-commit");
        let fate = if committed.is_ok() { Fate::Kept } else { Fate::Unknown };
        for pack in heritage.packs() {
            settle(ctx.app().git.repository(id), pack.clone(), fate).await;
        }
        if committed.is_ok() {
            end(claim).await;
        }
        forge_git::crash::point("fork/settled");
        committed.map(|()| Some(id))
    }

    /// Returns an id that nothing else has, and the name that the fork is to have.
    async fn reserve(&self, ctx: &RequestContext) -> Result<(RepositoryId, String)> {
        let wanted = self.new.name.as_ref().unwrap_or(&self.parent.repository.name);
        forge_types::name::check_repository_name(wanted)?;
        let tries = if self.new.name.is_some() { 1 } else { NAMES };
        for number in 0..tries {
            let name = if number == 0 { wanted.clone() } else { format!("{wanted}-{number}") };
            let mut tx = ctx.begin().await?;
            match forge_store::repositories::reserve(&mut tx, &self.owner, &name, ctx.now()).await {
                Err(error) if error.is_duplicate() => continue,
                reserved => {
                    let id = reserved?;
                    tx.commit().await?;
                    return Ok((id, name));
                }
            }
        }
        Err(name_taken("Validation Failed"))
    }

    async fn inherit(&self, ctx: &RequestContext, id: RepositoryId) -> Result<Heritage> {
        let app = ctx.app();
        let mut tips: Vec<ObjectId> = self.refs.iter().map(|(_, tip)| *tip).collect();
        tips.sort_unstable();
        tips.dedup();
        let (parent, takes_all) = (self.state.packs(ctx).await?, !self.new.default_branch_only);
        let unique = || app.random_number();
        let directory = app.git.repository(id);
        directory.inherit(&app.git.processes, parent, tips, takes_all, unique).await.map_err(fault)
    }

    /// Writes all rows; `None` if the parent lost history meanwhile.
    async fn write(
        &self,
        ctx: &RequestContext,
        id: RepositoryId,
        name: String,
        heritage: &Heritage,
    ) -> Result<Option<Tx>> {
        let changes = self.changes(ctx, id).await?;
        let mut tx = ctx.begin().await?;
        let parent_id = self.parent.repository.id;
        // Nobody else forks for this owner, and nobody ends the parent or its network, before this is committed.
        let _standing = Standing::of_caller(ctx, &mut tx, &[self.owner.id]).await?;
        forge_store::repositories::hold_descent(&mut tx, parent_id, Hold::Shared).await?;
        let target = RepositoryTarget::Id(parent_id);
        let parent = ctx.authorize(&mut tx, target, Action::RepositoryFork).await?.repository;
        let visibility = visibility(&parent);
        let place = Place::find(ctx, &mut tx, owner(&self.new), visibility).await?;
        let rewrites = forge_store::inventory::count_rewrites(&mut tx, parent_id).await?;
        if rewrites != Some(self.rewrites) || place.owner.id != self.owner.id {
            return Ok(None);
        }
        let network = parent.network_id();
        let meanwhile =
            forge_store::repositories::find_in_network(&mut tx, ctx.rights_id(), place.owner.id, network);
        if meanwhile.await?.is_some() {
            return Ok(None);
        }
        let new = new_repository(&parent, name, visibility);
        let lineage = Lineage { id, parent_id, source_id: parent.network_id() };
        let account = ctx.account()?;
        let created = insert_with(ctx, &mut tx, &place.owner, account, &new, Some(lineage)).await?;
        for pack in heritage.packs() {
            // The fork has counted no rewrite, and each of these is what its refs reach.
            let is_closure = heritage.linked.as_ref().is_none_or(|linked| linked == pack);
            let content = if is_closure { PackContent::VisibleAt(0) } else { PackContent::Any };
            let row = git::pack_row(pack, content);
            forge_store::pushes::adopt_pack(&mut tx, id, row, ctx.now()).await?;
        }
        let push = Push::by(Door::Fork);
        refs::update(ctx, &mut tx, &created, &push, &changes).await?.into_result()?;
        forge_store::repositories::count_fork(&mut tx, lineage).await?;
        Ok(Some(tx))
    }

    async fn changes(&self, ctx: &RequestContext, id: RepositoryId) -> Result<Vec<RefChange>> {
        let (directory, refs) = (ctx.app().git.repository(id), self.refs.clone());
        let inspect = move || {
            let mut objects = Objects::open(&directory).map_err(fault)?;
            let watch = Watch::default();
            let inspect = |(name, tip)| RefChange::inspect(&mut objects, &watch, name, None, Some(tip));
            refs.into_iter().map(inspect).collect::<Result<Vec<_>, _>>().map_err(Error::unprocessable)
        };
        tokio::task::spawn_blocking(inspect).await.map_err(Error::internal)?
    }
}

/// Sorts a large repository that has no pack of just what its visible refs reach: its forks share that one.
async fn sort_if_worth(app: &Arc<App>, id: RepositoryId) -> Result<()> {
    let packs = forge_store::inventory::list_manifest(&mut app.db.read().await?, id).await?;
    let objects: i64 = packs.iter().filter(|pack| !pack.is_cruft).map(|pack| pack.object_count).sum();
    if u64::try_from(objects).unwrap_or(0) >= LARGE && !packs.iter().any(|pack| pack.is_closure) {
        git::sort_anew(app, id).await?;
    }
    Ok(())
}

/// Returns the refs that a fork takes over: those that every reader sees, and that are the parent's own.
async fn taken(
    state: &State,
    ctx: &RequestContext,
    parent: &Repository,
    new: &NewFork,
) -> Result<Vec<(RefName, ObjectId)>> {
    let is_wanted = |name: &RefName| {
        !new.default_branch_only || name.branch_name() == Some(parent.default_branch.as_str())
    };
    let is_taken = |name: &RefName| name.kind().is_own() && is_wanted(name);
    let refs = state.refs(ctx).await?.refs().iter();
    Ok(refs.filter(|entry| is_taken(&entry.name)).map(|entry| (entry.name.clone(), entry.id)).collect())
}

fn owner(new: &NewFork) -> RepositoryOwner<'_> {
    new.organization.as_deref().map_or(RepositoryOwner::Own, RepositoryOwner::Login)
}

/// Returns who may see a fork: not more than see its parent, and those inside of a forge see only what is an organization's.
const fn visibility(parent: &Repository) -> Visibility {
    match parent.visibility {
        Visibility::Public => Visibility::Public,
        Visibility::Internal | Visibility::Private => Visibility::Private,
    }
}

fn new_repository(parent: &Repository, name: String, visibility: Visibility) -> NewRepository {
    let settings = &parent.settings;
    NewRepository {
        default_branch: Some(parent.default_branch.clone()),
        settings: SettingsChanges {
            description: settings.description.clone(),
            homepage: settings.homepage.clone(),
            // As on GitHub: issues are the parent's matter.
            has_issues: Some(false),
            has_wiki: Some(settings.has_wiki),
            has_projects: Some(settings.has_projects),
            allow_forking: Some(settings.allow_forking),
            ..SettingsChanges::default()
        },
        ..NewRepository::new(name, visibility)
    }
}

/// Makes sure that the next start finds the directory of a fork, if there is no repository by then.
async fn claim(app: &Arc<App>, id: RepositoryId) -> Result<Claim> {
    let (directory, number) = (app.git.repository(id), app.random_number());
    let claimed = tokio::task::spawn_blocking(move || directory.claim_outgoing(&[], number)).await;
    claimed.map_err(Error::internal)?.map_err(fault)
}

async fn end(claim: Claim) {
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || claim.settle()).await {
        tracing::warn!(%error, "the entry of a fork stays until the next start");
    }
}

/// Removes what lies in the directory of a fork that is not to be. What cannot be removed now is for the next start.
async fn abandon(app: &Arc<App>, id: RepositoryId, heritage: Heritage, claim: Claim) {
    let engine = app.git.clone();
    let removed = tokio::task::spawn_blocking(move || engine.remove(id)).await.map_err(Error::internal);
    if let Ok(Ok(())) = removed {
        for pack in heritage.packs() {
            settle(app.git.repository(id), pack.clone(), Fate::Kept).await;
        }
        end(claim).await;
    } else {
        tracing::warn!(repository = id.0, "what was made for a fork is to be looked after at the next start");
    }
}
