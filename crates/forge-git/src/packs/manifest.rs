//! Which packs a repository has, as its database says, and the packs themselves once they are needed.

use std::sync::{Arc, OnceLock};

use super::{PackCache, PackSet};
use crate::{Repository, Result};

/// The packs of a repository by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// File names without extension.
    pub packs: Vec<String>,
    /// The one among them that has exactly what the visible refs reached when it was made, none of which lost anything since.
    pub closure: Option<String>,
}

/// The packs of a repository at one moment, opened when they are first needed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Packs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    repository: Repository,
    listed: Option<(Manifest, Arc<PackCache>)>,
    opened: OnceLock<PackSet>,
}

impl Packs {
    /// Returns the packs that lie in the directory of a repository, whatever a manifest says.
    pub fn of_directory(repository: Repository) -> Self {
        Self { inner: Arc::new(Inner { repository, listed: None, opened: OnceLock::new() }) }
    }

    /// Returns the packs of a manifest, which share what is open already.
    pub(crate) fn listed(repository: Repository, manifest: Manifest, cache: Arc<PackCache>) -> Self {
        let listed = Some((manifest, cache));
        Self { inner: Arc::new(Inner { repository, listed, opened: OnceLock::new() }) }
    }

    /// Returns the repository.
    pub fn repository(&self) -> &Repository {
        &self.inner.repository
    }

    /// Does the manifest have a pack of just what the visible refs reach?
    pub fn has_closure(&self) -> bool {
        self.inner.listed.as_ref().is_some_and(|(manifest, _)| manifest.closure.is_some())
    }

    /// Returns the objects. Blocks.
    ///
    /// A pack that maintenance removed since the manifest was read has its objects in another one: then whatever lies in the
    /// directory is opened, which has at least the objects of the manifest.
    pub fn open(&self) -> Result<PackSet> {
        if let Some(known) = self.inner.opened.get() {
            return Ok(known.clone());
        }
        let Inner { repository, listed, .. } = &*self.inner;
        let opened = match listed {
            None => PackSet::open(repository)?,
            Some((manifest, cache)) => match cache.open(repository, manifest)? {
                Some(set) => set,
                None => cache.open_all(repository)?,
            },
        };
        Ok(self.inner.opened.get_or_init(|| opened).clone())
    }
}
