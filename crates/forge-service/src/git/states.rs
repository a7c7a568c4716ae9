//! What was last seen of each repository: its refs and packs, loaded once for every state it is in.
//!
//! The statement that loads a repository brings its [`GitState`] along. As long as that stays the same, a clone costs no other
//! statement, and a fetch from a repository of thousands of refs reads none of them.
//! INVARIANT: what is kept under a state was loaded after that state was read. Whoever reads the same state again sees what is
//! current; a change in between has made another state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use forge_git::wire::{Ref, RefSnapshot};
use forge_git::{Manifest, Packs, Repository};
use forge_types::id::RepositoryId;
use forge_types::repository::{GitState, RepositoryAccess};
use forge_types::{Error, ObjectFormat, RefName, Result};
use tokio::sync::OnceCell;

use crate::context::RequestContext;

/// How many repositories are kept.
const REPOSITORIES: usize = 4096;

/// How many refs are kept, of all repositories together. Each takes some 150 bytes.
const REFS: usize = 400_000;

/// Refs and packs of a repository in one state.
#[derive(Debug)]
pub(crate) struct State {
    id: RepositoryId,
    directory: Repository,
    mark: GitState,
    head: RefName,
    refs: OnceCell<RefSnapshot>,
    packs: OnceCell<Packs>,
}

impl State {
    fn new(found: &RepositoryAccess, directory: Repository) -> Result<Self> {
        let repository = &found.repository;
        Ok(Self {
            id: repository.id,
            directory,
            mark: found.git_state,
            head: RefName::branch(&repository.default_branch).map_err(Error::internal)?,
            refs: OnceCell::new(),
            packs: OnceCell::new(),
        })
    }

    /// Returns what tells this state from every other, of whatever repository.
    pub(super) fn key(&self) -> String {
        format!("{} {} {}", self.id.0, self.mark, self.head)
    }

    /// Returns a snapshot without refs, for answers that name none.
    pub(super) fn without_refs(&self) -> RefSnapshot {
        RefSnapshot::new(ObjectFormat::Sha1, self.head.clone(), Vec::new())
    }

    /// Returns every ref that is shown to readers of the repository.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn refs(&self, ctx: &RequestContext) -> Result<&RefSnapshot> {
        let load = async || {
            let stored = forge_store::refs::list_shown(&mut ctx.read().await?, self.id).await?;
            let refs = stored.into_iter().map(|stored| Ref {
                name: stored.name,
                id: stored.object_id,
                peeled: stored.peeled_id,
            });
            Ok(RefSnapshot::new(ObjectFormat::Sha1, self.head.clone(), refs.collect()))
        };
        self.refs.get_or_try_init(load).await
    }

    /// Returns the packs of the repository.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn packs(&self, ctx: &RequestContext) -> Result<&Packs> {
        let load = async || {
            let packs = forge_store::inventory::list_manifest(&mut ctx.read().await?, self.id).await?;
            let closure = packs.iter().find(|pack| pack.is_closure).map(|pack| pack.name.clone());
            let packs = packs.into_iter().map(|pack| pack.name).collect();
            Ok(ctx.app().git.server.packs(self.directory.clone(), Manifest { packs, closure }))
        };
        self.packs.get_or_try_init(load).await
    }

    fn weight(&self) -> usize {
        self.refs.get().map_or(0, |refs| refs.refs().len())
    }
}

/// The states that repositories were last seen in.
#[derive(Debug, Default)]
pub(super) struct States {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    states: HashMap<RepositoryId, (Arc<State>, u64)>,
    clock: u64,
}

impl super::Engine {
    /// Returns the state that a repository was found in.
    ///
    /// # Errors
    /// `Internal` if the default branch has no name that a branch can have.
    pub(crate) fn state(&self, found: &RepositoryAccess) -> Result<Arc<State>> {
        let new = State::new(found, self.repository(found.repository.id))?;
        // A repository that was made a moment ago, or that someone acts on unseen, has no mark to know it by.
        if new.mark == GitState::default() {
            return Ok(Arc::new(new));
        }
        Ok(self.states.find_or_keep(new))
    }
}

impl States {
    fn find_or_keep(&self, new: State) -> Arc<State> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        if let Some((known, used)) = kept.states.get_mut(&new.id)
            && known.mark == new.mark
            && known.head == new.head
        {
            *used = clock;
            return Arc::clone(known);
        }
        let new = Arc::new(new);
        kept.states.insert(new.id, (Arc::clone(&new), clock));
        kept.forget();
        new
    }
}

impl Kept {
    /// Forgets those that were not used for the longest time, if there are too many.
    fn forget(&mut self) {
        let is_full = self.states.len() > REPOSITORIES;
        // Weighing all of them each time would cost more than a request.
        let is_heavy = || self.states.values().map(|(state, _)| state.weight()).sum::<usize>() > REFS;
        if is_full || (self.clock.is_multiple_of(256) && is_heavy()) {
            self.forget_half();
        }
    }

    fn forget_half(&mut self) {
        let mut by_use: Vec<(u64, RepositoryId, usize)> =
            self.states.iter().map(|(id, (state, used))| (*used, *id, state.weight())).collect();
        by_use.sort_unstable_by_key(|(used, ..)| std::cmp::Reverse(*used));
        let mut weight = 0;
        for (place, (_, id, own)) in by_use.into_iter().enumerate() {
            weight += own;
            if place > 0 && (place > REPOSITORIES / 2 || weight > REFS / 2) {
                self.states.remove(&id);
            }
        }
    }
}
