//! An ephemeral repository that shows a snapshot: `HEAD`, `packed-refs` and a pointer to the real objects.
//!
//! What `git upload-pack` sees as refs (to advertise, to follow tags, to resolve `deepen-not`) is what the caller sees.

use std::fs;
use std::path::Path;

use forge_types::ObjectFormat;
use tempfile::TempDir;

use crate::projection::packed_refs;
use crate::wire::RefSnapshot;
use crate::{Error, Repository, Result, Storage};

/// A view; its directory goes with it.
#[derive(Debug)]
pub(super) struct View {
    directory: TempDir,
}

impl View {
    /// Writes a view. Nothing of it is synced: it means nothing after a crash. Blocks.
    pub(super) fn create(storage: &Storage, repository: &Repository, snapshot: &RefSnapshot) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("view-")
            .tempdir_in(storage.temporary())
            .map_err(Error::io("create a view"))?;
        let path = directory.path();
        for name in ["objects/info", "refs"] {
            fs::create_dir_all(path.join(name)).map_err(Error::io("create a view"))?;
        }
        let write = |name: &str, text: &str| {
            fs::write(path.join(name), text).map_err(Error::io(format!("write {name} of a view")))
        };
        write("config", config(snapshot.format()))?;
        write("HEAD", &format!("ref: {}\n", snapshot.head()))?;
        write("packed-refs", &packed_refs(snapshot))?;
        write("objects/info/alternates", &format!("{}\n", repository.objects().display()))?;
        Ok(Self { directory })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn config(format: ObjectFormat) -> &'static str {
    match format {
        ObjectFormat::Sha1 => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
        ObjectFormat::Sha256 => {
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
        }
    }
}
