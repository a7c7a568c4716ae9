//! A repository in the state it was authorized in, and which of its objects the caller may read.

use std::collections::HashSet;

use forge_git::objects::{ObjectKind, Objects};
use forge_git::wire::RefSnapshot;
use forge_git::{Packs, Repository};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectFormat, ObjectId, RefName, Result};

use super::READABLE_FOR;
use crate::context::RequestContext;
use crate::git::{Share, fault};
use crate::target::RepositoryTarget;

/// A repository whose objects are about to be read.
pub(crate) struct Opened {
    ctx: RequestContext,
    /// The repository.
    pub(crate) access: RepositoryAccess,
    packs: Packs,
    refs: RefSnapshot,
    /// Reading counts among the caller's transfers.
    _share: Share,
}

/// A branch, a tag, or an object by its id, which the caller may read.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As it was named.
    pub(crate) name: String,
    /// The object that it stands for: a tag object where a tag is annotated.
    pub(crate) id: ObjectId,
}

impl Opened {
    /// Authorizes `action` on a repository, and opens it as it is then.
    ///
    /// # Errors
    /// What the decision says; `Unavailable` if the database is.
    pub(crate) async fn open(
        ctx: &RequestContext,
        target: RepositoryTarget<'_>,
        action: Action,
    ) -> Result<Self> {
        let access = ctx.authorize(&mut ctx.read().await?, target, action).await?;
        let engine = &ctx.app().git;
        let share = engine.fetches.take(ctx).await?;
        let state = engine.state(&access)?;
        let (packs, refs) = (state.packs(ctx).await?.clone(), state.refs(ctx).await?.clone());
        Ok(Self { ctx: ctx.clone(), access, packs, refs, _share: share })
    }

    /// Returns the request.
    pub(crate) const fn ctx(&self) -> &RequestContext {
        &self.ctx
    }

    /// Returns the directory of the repository.
    pub(crate) fn directory(&self) -> Repository {
        self.ctx.app().git.repository(self.access.repository.id)
    }

    /// Refuses what cannot be done before the first push, in GitHub's words.
    ///
    /// # Errors
    /// `Conflict` if there is no ref.
    pub(crate) fn require_content(&self) -> Result<()> {
        if self.refs.refs().is_empty() {
            return Err(Error::conflict("Git Repository is empty."));
        }
        Ok(())
    }

    /// Returns the refs that readers see.
    pub(crate) const fn refs(&self) -> &RefSnapshot {
        &self.refs
    }

    /// Returns what a ref that readers see points to.
    pub(crate) fn ref_id(&self, name: &RefName) -> Option<ObjectId> {
        self.refs.find(name).map(|found| found.id)
    }

    /// Finds a branch, a tag, another ref, or an object by its full id; the default branch when none is named.
    ///
    /// # Errors
    /// `NotFound` if there is none, or none that the caller may read.
    pub(crate) async fn resolve(&mut self, name: Option<&str>) -> Result<Named> {
        let name = name.filter(|name| !name.is_empty() && *name != "HEAD");
        let named = name.unwrap_or(&self.access.repository.default_branch).to_owned();
        for prefix in ["refs/heads/", "refs/tags/", "refs/", ""] {
            let Ok(full) = RefName::new(format!("{prefix}{named}")) else { continue };
            if let Some(id) = self.ref_id(&full) {
                return Ok(Named { name: named, id });
            }
        }
        let id: ObjectId = named.parse().map_err(|_| Error::not_found())?;
        self.check(&[id]).await?;
        Ok(Named { name: named, id })
    }

    /// Checks that the caller may read all these objects.
    ///
    /// # Errors
    /// `NotFound` if not.
    pub(crate) async fn check(&mut self, ids: &[ObjectId]) -> Result<()> {
        // Everybody has the empty directory, and it need not lie in a pack.
        let is_empty_tree = |id: &&ObjectId| **id == ObjectId::empty_tree(id.format());
        let ids: Vec<ObjectId> = ids.iter().filter(|id| !is_empty_tree(id)).copied().collect();
        match self.ctx.app().git.server.check(&self.packs, &self.refs, &ids).await {
            Err(forge_git::Error::NotOurRef(_)) => self.check_made(ids).await,
            result => result.map_err(fault),
        }
    }

    /// The same of objects among which are some that the caller made: what those build on must be readable now.
    async fn check_made(&mut self, ids: Vec<ObjectId>) -> Result<()> {
        let made = self.made().await?;
        if !ids.iter().any(|id| made.contains(id)) {
            return Err(Error::not_found());
        }
        self.look_again();
        let opened = self.packs.clone();
        let look = move || foundation(&mut Objects::of(opened.open()?), &made, ids);
        let rest = tokio::task::spawn_blocking(look).await.map_err(Error::internal)?.map_err(fault)?;
        self.ctx.app().git.server.check(&self.packs, &self.refs, &rest).await.map_err(fault)
    }

    /// Returns what the caller made here within a day.
    async fn made(&self) -> Result<HashSet<ObjectId>> {
        let Some(account) = self.ctx.account_id() else { return Ok(HashSet::new()) };
        let since = self.ctx.now().minus(READABLE_FOR);
        let mut conn = self.ctx.read().await?;
        let id = self.access.repository.id;
        let made = forge_store::made_objects::list(
            &mut conn,
            id,
            account,
            self.ctx.grant_id(),
            ObjectFormat::Sha1,
            since,
        );
        Ok(made.await?.into_iter().collect())
    }

    /// Sees what this request made meanwhile, too: packs of new objects do not change the state that packs are kept for.
    pub(crate) fn look_again(&mut self) {
        self.packs = Packs::of_directory(self.directory());
    }

    /// Reads objects where blocking does no harm.
    ///
    /// # Errors
    /// What `work` says; `Unavailable` if the file system is.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Objects) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let packs = self.packs.clone();
        let work = move || work(&mut Objects::of(packs.open().map_err(fault)?));
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

/// Returns what is outside `made` of these objects and of all that they build on within it.
fn foundation(
    objects: &mut Objects,
    made: &HashSet<ObjectId>,
    ids: Vec<ObjectId>,
) -> forge_git::Result<Vec<ObjectId>> {
    let (mut seen, mut rest, mut pending) = (HashSet::new(), Vec::new(), ids);
    while let Some(id) = pending.pop() {
        if !seen.insert(id) || id == ObjectId::empty_tree(id.format()) {
            continue;
        }
        if made.contains(&id) {
            pending.extend(objects.named_by(id)?);
        } else {
            rest.push(id);
        }
    }
    Ok(rest)
}

/// Returns the commit that an object stands for.
///
/// # Errors
/// `NotFound` if it is none. Blocks.
pub(crate) fn commit_of(objects: &mut Objects, id: ObjectId) -> Result<ObjectId> {
    let target = objects.peel(id).map_err(fault)?;
    if target.target_kind == ObjectKind::Commit { Ok(target.target_id) } else { Err(Error::not_found()) }
}

/// Refuses to read an object of another kind, as if it were not there.
///
/// # Errors
/// `NotFound` if it is of another kind. Blocks.
pub(crate) fn require_kind(objects: &mut Objects, id: ObjectId, kind: ObjectKind) -> Result<()> {
    let found = objects.header(id).map_err(fault)?.0;
    if found == kind { Ok(()) } else { Err(Error::not_found()) }
}
