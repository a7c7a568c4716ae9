//! A directory of its own for the objects of one push.
//!
//! It lies on the same file system as the repository, so that publishing is a rename, and reads the repository's objects
//! through `info/alternates`. INVARIANT: dropping it before [`Quarantine::publish`] leaves nothing. After that its empty directory
//! stays as a claim, until [`Repository::settle`] says that the pack is on the manifest or gone; see [`crate::Claim`].

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forge_types::ObjectFormat;

use super::small::Taken;
use crate::durable::{blocking, move_pack, remove_tree, sync};
use crate::objects::{Objects, hash_kind};
use crate::storage::list;
use crate::{Error, PackInfo, Packs, Repository, Result};

/// The objects of one push, before they are the repository's. Dropping it removes them.
#[derive(Debug)]
pub struct Quarantine {
    packs: Packs,
    directory: PathBuf,
    unique: u128,
    /// Were files moved? Then the directory stays as a claim.
    is_published: bool,
    /// The objects of a small push, which were read here.
    pub(super) taken: Option<Arc<Taken>>,
}

impl Quarantine {
    /// Makes an empty quarantine for objects that build on those of these packs; the repository's directory is created if
    /// need be. `unique` is a number that no other pack was or will be given: it names the pack, so that two pushes of equal bytes never share a file. Blocks.
    pub fn open(packs: &Packs, unique: u128) -> Result<Self> {
        let repository = packs.repository();
        repository.create()?;
        let name = pack_name(repository.format(), unique);
        let directory = repository.incoming(&name);
        fs::create_dir(&directory).map_err(Error::io(format!("create {}", directory.display())))?;
        let quarantine = Self { packs: packs.clone(), directory, unique, is_published: false, taken: None };
        for name in ["pack", "info"] {
            let path = quarantine.directory.join(name);
            fs::create_dir(&path).map_err(Error::io(format!("create {}", path.display())))?;
        }
        let alternates = quarantine.directory.join("info/alternates");
        fs::write(&alternates, format!("{}\n", repository.objects().display()))
            .map_err(Error::io(format!("write {}", alternates.display())))?;
        Ok(quarantine)
    }

    /// Returns the repository that the objects are for.
    pub fn repository(&self) -> &Repository {
        self.packs.repository()
    }

    pub(super) fn packs(&self) -> &Packs {
        &self.packs
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn pack_directory(&self) -> PathBuf {
        self.directory.join("pack")
    }

    /// Opens the objects of this push and of the repository together. Blocks.
    pub fn objects(&self) -> Result<Objects> {
        Ok(Objects::of(self.packs.open()?.with_directory(&self.pack_directory())?))
    }

    /// Makes the pack durably part of the repository: files synced, renamed, directory synced. `None` if there was none, or
    /// none with objects.
    pub async fn publish(self) -> Result<Option<PackInfo>> {
        blocking(move || self.publish_blocking()).await
    }

    pub(crate) fn publish_blocking(mut self) -> Result<Option<PackInfo>> {
        let Some(index) = self.index()? else {
            return Ok(None);
        };
        let kind = hash_kind(self.repository().format());
        let object_count = gix_pack::index::File::at(&index, kind)
            .map_err(|error| Error::corrupt(index.display(), error))?
            .num_objects();
        if object_count == 0 {
            return Ok(None);
        }
        let mut size_bytes = 0;
        for extension in ["pack", "idx"] {
            let path = index.with_extension(extension);
            size_bytes += fs::metadata(&path).map_err(Error::io(format!("read {}", path.display())))?.len();
        }
        let name = pack_name(self.repository().format(), self.unique);
        self.is_published = true;
        // A power cut that spares the pack must spare the entry by which a start finds it, too.
        sync(self.repository().temporary())?;
        move_pack(&index, &self.repository().packs(), &name)?;
        Ok(Some(PackInfo { name, object_count: object_count.into(), size_bytes }))
    }

    fn index(&self) -> Result<Option<PathBuf>> {
        let files = list(&self.pack_directory())?;
        Ok(files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "idx")))
    }
}

/// Git's maintenance takes the last digits of a pack's name for a hash, so it has the length of one.
fn pack_name(format: ObjectFormat, unique: u128) -> String {
    format!("pack-{unique:0>width$x}", width = format.hex_len())
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        if self.is_published {
            return;
        }
        if let Err(error) = remove_tree(&self.directory) {
            tracing::warn!(%error, "a quarantine directory stays until the next start");
        }
    }
}
