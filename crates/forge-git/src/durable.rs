//! Making files durable, and running file work off the asynchronous threads.
//!
//! INVARIANT: a name that another process may see is only ever given to a file whose bytes are already synced, and the
//! directory is synced after the name was given.

use std::fs::{self, File};
use std::path::Path;

use crate::{Error, Result, crash};

/// Runs file work on the blocking pool.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::Corrupt(format!("a file task failed: {error}"))),
    }
}

/// Writes a small file and syncs it. The directory is the caller's.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("write {}", path.display());
    fs::write(path, bytes).map_err(Error::io(context()))?;
    sync(path)
}

/// Syncs a file or a directory.
pub(crate) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io(format!("sync {}", path.display())))
}

/// Moves a pack with its index and what else belongs to it from one directory into another under a new name.
///
/// The index goes last: a reader finds a pack by its index.
pub(crate) fn move_pack(from: &Path, to: &Path, new_name: &str) -> Result<()> {
    let extensions: Vec<&str> = ["rev", "mtimes", "pack", "idx"]
        .into_iter()
        .filter(|extension| from.with_extension(extension).exists())
        .collect();
    for extension in &extensions {
        sync(&from.with_extension(extension))?;
    }
    crash::point("publish/synced");
    for extension in &extensions {
        let target = to.join(format!("{new_name}.{extension}"));
        fs::rename(from.with_extension(extension), &target)
            .map_err(Error::io(format!("move to {}", target.display())))?;
        crash::point("publish/moved-one");
    }
    crash::point("publish/moved");
    sync(to)?;
    crash::point("publish/done");
    Ok(())
}

/// Removes a directory and all below it; one that is absent is good.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(Error::io(format!("remove {}", path.display()))),
    }
}
