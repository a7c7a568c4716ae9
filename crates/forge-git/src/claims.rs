//! Packs that lie in a repository's directory and may be on no manifest: a crash between the two must not leave them for ever.
//!
//! Whoever is about to give a pack to a repository, or to take one off its manifest, first makes an entry in the directory for
//! temporary things; it goes once the manifest is settled. What is found there at a start is compared with the manifests: the
//! work follows the number of crashes, not of repositories.
//! INVARIANT: an entry is made durably before the first file is moved or the first transaction that takes a pack off its
//! manifest, and removed after the transaction has ended for sure and what was to be removed is durably gone.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::durable::{remove_tree, sync, write_synced};
use crate::storage::list;
use crate::{Error, Repository, Result, Storage};

const INCOMING: &str = "incoming-";
const OUTGOING: &str = "outgoing-";

/// Packs of a repository that a former process may have left without a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The id of the repository.
    pub repository: i64,
    /// The names of the packs.
    pub packs: Vec<String>,
    entry: PathBuf,
}

impl Claim {
    /// Removes the entry, once the manifests know of the packs or their files are gone.
    pub fn settle(&self) -> Result<()> {
        remove_entry(&self.entry)
    }
}

impl Storage {
    /// Returns what former processes have left. Only for the start.
    pub fn claims(&self) -> Result<Vec<Claim>> {
        list(&self.temporary())?.into_iter().filter_map(|entry| claim(entry).transpose()).collect()
    }
}

fn claim(entry: PathBuf) -> Result<Option<Claim>> {
    let Some(name) = entry.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let parts = |rest: &str| -> Option<(i64, String)> {
        let (repository, unique) = rest.split_once('-')?;
        Some((repository.parse().ok()?, unique.to_owned()))
    };
    if let Some((repository, unique)) = name.strip_prefix(INCOMING).and_then(parts) {
        return Ok(Some(Claim { repository, packs: vec![format!("pack-{unique}")], entry }));
    }
    let Some((repository, _)) = name.strip_prefix(OUTGOING).and_then(parts) else { return Ok(None) };
    let text = match fs::read_to_string(&entry) {
        // It was settled meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(Error::io(format!("read {}", entry.display())))?,
    };
    Ok(Some(Claim { repository, packs: text.lines().map(str::to_owned).collect(), entry }))
}

impl Repository {
    /// Returns the directory in which the pack of this name comes to be.
    pub(crate) fn incoming(&self, pack: &str) -> PathBuf {
        let unique = pack.strip_prefix("pack-").unwrap_or(pack);
        self.temporary().join(format!("{INCOMING}{}-{unique}", self.id()))
    }

    /// Returns the packs that somebody is about to put on the manifest, or has taken off it and not yet removed.
    pub fn claimed_packs(&self) -> Result<HashSet<String>> {
        let mut packs = HashSet::new();
        for entry in list(self.temporary())? {
            let claim = claim(entry)?.filter(|claim| claim.repository == self.id());
            packs.extend(claim.into_iter().flat_map(|claim| claim.packs));
        }
        Ok(packs)
    }

    /// Says that the manifest knows of a pack, or that its files are gone.
    pub fn settle(&self, pack: &str) -> Result<()> {
        remove_entry(&self.incoming(pack))
    }

    /// Makes an entry for packs that are about to be taken off the manifest. `unique` is a number that nothing else was or
    /// will be given.
    pub fn claim_outgoing(&self, packs: &[String], unique: u128) -> Result<Claim> {
        let entry = self.temporary().join(format!("{OUTGOING}{}-{unique:032x}", self.id()));
        let text: String = packs.iter().map(|name| format!("{name}\n")).collect();
        write_synced(&entry, text.as_bytes())?;
        sync(self.temporary())?;
        Ok(Claim { repository: self.id(), packs: packs.to_vec(), entry })
    }
}

fn remove_entry(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => remove_tree(path),
        Ok(_) => fs::remove_file(path).map_err(Error::io(format!("remove {}", path.display()))),
        Err(_) => Ok(()),
    }
}

/// Is this an entry, which a sweep of temporary things leaves alone?
pub(crate) fn is_entry(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.starts_with(INCOMING) || name.starts_with(OUTGOING)
}

#[cfg(test)]
mod tests {
    use forge_types::ObjectFormat;

    use super::*;
    use crate::objects::PackBuilder;

    #[test]
    fn what_a_killed_process_was_about_is_found_until_it_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path().join("repositories")).unwrap();
        let repository = storage.repository(300, ObjectFormat::Sha1);
        let mut builder = PackBuilder::new(ObjectFormat::Sha1);
        builder.blob(b"x").unwrap();
        let pack = builder.write(&repository, 7).unwrap();
        let outgoing = repository.claim_outgoing(&["pack-a".into(), "pack-b".into()], 8).unwrap();
        storage.sweep().unwrap();
        let claimed = repository.claimed_packs().unwrap();
        assert!(claimed.len() == 3 && claimed.contains(&pack.name) && claimed.contains("pack-b"));
        assert!(storage.repository(301, ObjectFormat::Sha1).claimed_packs().unwrap().is_empty());
        let mut claims = storage.claims().unwrap();
        claims.sort_by_key(|claim| claim.packs.len());
        assert_eq!((claims[0].repository, &claims[0].packs), (300, &vec![pack.name.clone()]));
        assert_eq!(claims[1], outgoing);
        repository.settle(&pack.name).unwrap();
        outgoing.settle().unwrap();
        outgoing.settle().unwrap();
        assert_eq!(storage.claims().unwrap(), []);
        assert!(repository.verify_pack(&pack.name).is_ok(), "the pack itself stays");
    }
}
