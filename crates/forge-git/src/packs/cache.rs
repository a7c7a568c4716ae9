//! Opened packs that requests share.
//!
//! Opening maps two files and costs more than a small fetch. A pack that is no longer in any repository's manifest is dropped
//! when its turn comes; until then its mapping keeps the bytes of a removed file.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::set::open_listed;
use super::{Manifest, Pack, PackSet};
use crate::objects::hash_kind;
use crate::{Repository, Result};

/// How many packs are kept open.
const CAPACITY: usize = 4096;

/// Opened packs by their path. For all repositories of this process.
#[derive(Debug, Default)]
pub(crate) struct PackCache {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    packs: HashMap<PathBuf, (Arc<Pack>, u64)>,
    clock: u64,
}

impl PackCache {
    /// Returns every pack in the directory of a repository. Blocks.
    pub(crate) fn open_all(&self, repository: &Repository) -> Result<PackSet> {
        let packs = open_listed(&[repository.packs()], |path| self.pack(repository, path.to_owned()))?;
        PackSet::new(repository.format(), packs, None)
    }

    /// Returns the packs of a manifest, `None` if one of them is not there any more. Blocks.
    pub(crate) fn open(&self, repository: &Repository, manifest: &Manifest) -> Result<Option<PackSet>> {
        let directory = repository.packs();
        let mut packs = Vec::with_capacity(manifest.packs.len());
        let mut closure = None;
        for name in &manifest.packs {
            let path = directory.join(format!("{name}.idx"));
            match self.pack(repository, path.clone()) {
                Ok(pack) => {
                    if manifest.closure.as_ref() == Some(name) {
                        closure = Some(Arc::clone(&pack));
                    }
                    packs.push(pack);
                }
                Err(_) if !path.exists() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        PackSet::new(repository.format(), packs, closure).map(Some)
    }

    fn pack(&self, repository: &Repository, path: PathBuf) -> Result<Arc<Pack>> {
        if let Some(known) = self.find(&path) {
            return Ok(known);
        }
        let pack = Arc::new(Pack::open(&path, hash_kind(repository.format()))?);
        self.keep(path, &pack);
        Ok(pack)
    }

    fn find(&self, path: &PathBuf) -> Option<Arc<Pack>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        let (pack, used) = kept.packs.get_mut(path)?;
        *used = clock;
        Some(Arc::clone(pack))
    }

    fn keep(&self, path: PathBuf, pack: &Arc<Pack>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.packs.len() >= CAPACITY {
            let mut times: Vec<u64> = kept.packs.values().map(|(_, used)| *used).collect();
            let (_, oldest_kept, _) = times.select_nth_unstable(CAPACITY / 4);
            let oldest_kept = *oldest_kept;
            kept.packs.retain(|_, (_, used)| *used > oldest_kept);
        }
        let clock = kept.clock;
        kept.packs.insert(path, (Arc::clone(pack), clock));
    }
}
