//! One repository: an ordinary bare directory whose refs are elsewhere.
//!
//! The directory comes into being with the first pack, or when [`Repository::create`] is called; until then everything
//! reads as empty. `extensions.preciousObjects` keeps an administrator's `git gc` from deleting objects that only the
//! database refers to.

use std::fs;
use std::path::{Path, PathBuf};

use forge_types::ObjectFormat;

use crate::durable::{sync, write_synced};
use crate::storage::list;
use crate::{Error, Result, crash};

/// A pack that is durably part of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackInfo {
    /// The file name without extension, such as `pack-0123…`; never the name of another pack, even of one with equal bytes.
    pub name: String,
    /// How many objects it has.
    pub object_count: u64,
    /// How many bytes pack and index have.
    pub size_bytes: u64,
}

/// The handle of a repository: paths only, cheap to clone, opens nothing.
#[derive(Clone, Debug)]
pub struct Repository {
    id: i64,
    path: PathBuf,
    temporary: PathBuf,
    format: ObjectFormat,
}

impl Repository {
    pub(crate) fn new(id: i64, path: PathBuf, temporary: PathBuf, format: ObjectFormat) -> Self {
        Self { id, path, temporary, format }
    }

    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// Returns where things lie that belong to no repository yet, or no more.
    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Returns the hash function of this repository's objects.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Returns the bare repository directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.path.join("objects/pack")
    }

    /// Creates the directory, durably. One that exists is left as it is.
    pub fn create(&self) -> Result<()> {
        if self.path.join("HEAD").exists() {
            return Ok(());
        }
        let fan =
            self.path.parent().ok_or_else(|| Error::Corrupt("a repository path without a parent".into()))?;
        for directory in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
            let directory = self.path.join(directory);
            fs::create_dir_all(&directory).map_err(Error::io(format!("create {}", directory.display())))?;
        }
        write_synced(&self.path.join("config"), config(self.format).as_bytes())?;
        sync(&self.objects())?;
        // HEAD is what makes the directory a repository: it comes last, and whole.
        let pending = self.path.join("HEAD.new");
        write_synced(&pending, b"ref: refs/heads/main\n")?;
        fs::rename(&pending, self.path.join("HEAD")).map_err(Error::io("name HEAD"))?;
        sync(&self.path)?;
        sync(fan)?;
        fan.parent().map_or(Ok(()), sync)
    }

    /// Returns how many bytes the packs and their indices take.
    pub fn size_bytes(&self) -> Result<u64> {
        let mut total = 0;
        for path in list(&self.packs())? {
            // A pack that maintenance removes meanwhile counts nothing.
            total += fs::metadata(&path).map_or(0, |data| data.len());
        }
        Ok(total)
    }

    /// Returns how many bytes a pack and its index have.
    pub fn pack_bytes(&self, name: &str) -> Result<u64> {
        let bytes = |extension: &str| {
            let path = self.packs().join(format!("{name}.{extension}"));
            fs::metadata(&path).map(|data| data.len()).map_err(Error::io(format!("read {}", path.display())))
        };
        Ok(bytes("pack")? + bytes("idx")?)
    }

    /// Removes a pack that no manifest row and no ref knows of: the refs that it came for were refused after all.
    ///
    /// Safe against every other push, because no two pushes share a pack name.
    pub fn remove_pack(&self, pack: &PackInfo) -> Result<()> {
        self.remove_pack_named(&pack.name)
    }

    /// Removes a pack whose objects nobody needs, or are in another one. Whoever has it open keeps it.
    pub fn remove_pack_named(&self, name: &str) -> Result<()> {
        for extension in ["idx", "rev", "mtimes", "pack"] {
            let path = self.packs().join(format!("{name}.{extension}"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io(format!("remove {}", path.display()))(error));
                }
                _ => crash::point("maintain/removed-one"),
            }
        }
        // The entry that tells of it may go next: the files must not come back after that.
        if self.packs().exists() { sync(&self.packs()) } else { Ok(()) }
    }

    /// Removes the index over packs and its bitmaps, if there are any: for a repository that has no pack to index.
    pub fn remove_index(&self) -> Result<()> {
        let is_index = |path: &&PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("multi-pack-index"))
        };
        list(&self.packs())?.iter().filter(is_index).try_for_each(|path| {
            fs::remove_file(path).map_err(Error::io(format!("remove {}", path.display())))
        })
    }
}

fn config(format: ObjectFormat) -> String {
    let mut text = String::from(
        "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n\
         [extensions]\n\tpreciousObjects = true\n",
    );
    if format != ObjectFormat::Sha1 {
        text.push_str(&format!("\tobjectFormat = {format}\n"));
    }
    text.push_str("[gc]\n\tauto = 0\n");
    text
}
