//! The directory that holds every repository: `<root>/<aa>/<id>.git`, and `<root>/tmp` for what is not yet or no longer one.
//!
//! `aa` is the low byte of the id in hex, so that ids given in sequence spread over 256 directories.
//! Names and owners are nowhere on disk: a rename or a transfer touches no file.

use std::fs;
use std::path::{Path, PathBuf};

use forge_types::ObjectFormat;

use crate::claims::is_entry;
use crate::durable::{remove_tree, sync};
use crate::{Error, Repository, Result, crash};

/// The root directory of all repositories of this node.
#[derive(Clone, Debug)]
pub struct Storage {
    root: PathBuf,
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Views and removed repositories that were still about.
    pub temporary: usize,
}

impl Storage {
    /// Opens the root, and creates it when it is absent.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        fs::create_dir_all(root.join("tmp")).map_err(Error::io(format!("create {}", root.display())))?;
        let root = fs::canonicalize(&root).map_err(Error::io(format!("open {}", root.display())))?;
        if root.to_str().is_none_or(|path| path.contains('\n')) {
            return Err(Error::Corrupt(
                "the path of the repositories must be UTF-8 without line breaks".into(),
            ));
        }
        sync(&root)?;
        Ok(Self { root })
    }

    /// Returns the handle of a repository, which need not exist: one without a directory reads as empty.
    pub fn repository(&self, id: i64, format: ObjectFormat) -> Repository {
        Repository::new(id, self.path_of(id), self.temporary(), format)
    }

    /// Removes a repository: renamed aside first, so that it is gone at once, then deleted.
    pub fn remove(&self, id: i64) -> Result<()> {
        let path = self.path_of(id);
        if !path.exists() {
            return Ok(());
        }
        let aside = tempfile::Builder::new()
            .prefix("removed-")
            .tempdir_in(self.temporary())
            .map_err(Error::io("create a directory for a removed repository"))?;
        fs::rename(&path, aside.path().join("repository.git"))
            .map_err(Error::io(format!("remove {}", path.display())))?;
        crash::point("delete/aside");
        sync(path.parent().unwrap_or(&self.root))?;
        aside.close().map_err(Error::io("delete a removed repository"))
    }

    /// Removes the views that a killed server left behind; for packs see [`Storage::claims`]. Only for the start.
    pub fn sweep(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        for entry in list(&self.temporary())?.iter().filter(|entry| !is_entry(entry)) {
            remove_tree(entry)?;
            swept.temporary += 1;
        }
        Ok(swept)
    }

    /// Returns where directories that live no longer than a request are made.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn path_of(&self, id: i64) -> PathBuf {
        self.root.join(format!("{:02x}", id & 0xff)).join(format!("{id}.git"))
    }
}

/// Lists a directory; one that is absent has no entries.
pub(crate) fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let context = || Error::io(format!("list {}", path.display()));
    match fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(context())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(context()(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage() -> (tempfile::TempDir, Storage) {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::open(directory.path().join("repositories")).unwrap();
        (directory, storage)
    }

    #[test]
    fn created_repository_is_bare_precious_and_has_no_hooks() {
        let (_directory, storage) = storage();
        let repository = storage.repository(258, ObjectFormat::Sha1);
        repository.create().unwrap();
        repository.create().unwrap();
        assert!(repository.path().ends_with("02/258.git"));
        let config = fs::read_to_string(repository.path().join("config")).unwrap();
        assert!(config.contains("preciousObjects = true"), "{config}");
        assert!(!repository.path().join("hooks").exists());
        let git = |args: &[&str]| {
            std::process::Command::new("git").arg("-C").arg(repository.path()).args(args).output().unwrap()
        };
        assert_eq!(git(&["rev-parse", "--is-bare-repository"]).stdout, b"true\n");
        for destructive in [&["prune"][..], &["repack", "-a", "-d"]] {
            let refused = git(destructive);
            assert!(
                !refused.status.success(),
                "{destructive:?} destroys a repository whose refs are elsewhere"
            );
        }
    }

    #[test]
    fn removed_repository_is_gone_and_removing_it_again_is_good() {
        let (_directory, storage) = storage();
        let repository = storage.repository(1, ObjectFormat::Sha1);
        repository.create().unwrap();
        storage.remove(1).unwrap();
        storage.remove(1).unwrap();
        assert!(!repository.path().exists());
        assert_eq!(list(&storage.temporary()).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn sweep_takes_temporary_directories_and_leaves_packs_and_what_is_to_be_settled() {
        let (_directory, storage) = storage();
        let repository = storage.repository(7, ObjectFormat::Sha1);
        repository.create().unwrap();
        let pack = repository.objects().join("pack/pack-1.pack");
        fs::write(&pack, "x").unwrap();
        fs::create_dir_all(repository.incoming("pack-01").join("pack")).unwrap();
        fs::create_dir(storage.temporary().join("view-1")).unwrap();
        assert_eq!(storage.sweep().unwrap(), Swept { temporary: 1 });
        assert_eq!(storage.sweep().unwrap(), Swept::default());
        assert!(pack.exists());
        assert_eq!(storage.claims().unwrap().len(), 1);
    }
}
