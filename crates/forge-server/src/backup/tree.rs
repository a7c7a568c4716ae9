//! Copying a directory of repositories so that the copy survives a power failure.

use std::fs::File;
use std::io;
use std::path::Path;

/// What was copied.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Copies everything but what lives no longer than a request. A file that goes away meanwhile is left out: packs
/// that the database names stay.
pub(super) fn copy(source: &Path, target: &Path) -> io::Result<Copied> {
    let mut copied = Copied::default();
    std::fs::create_dir_all(target)?;
    if source.is_dir() {
        copy_directory(source, target, &mut copied)?;
    }
    Ok(copied)
}

fn copy_directory(source: &Path, target: &Path, copied: &mut Copied) -> io::Result<()> {
    for entry in std::fs::read_dir(source)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_temporary(&name.to_string_lossy()) {
            continue;
        }
        let (from, to) = (entry.path(), target.join(&name));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            std::fs::create_dir_all(&to)?;
            unless_gone(copy_directory(&from, &to, copied))?;
        } else if kind.is_file()
            && let Some(bytes) = unless_gone(copy_file(&from, &to))?
        {
            copied.files += 1;
            copied.bytes += bytes;
        }
    }
    sync(target)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let bytes = std::fs::copy(from, to)?;
    sync(to)?;
    Ok(bytes)
}

/// Makes a file or directory durable.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn unless_gone<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The room for pushes under way, for views and for removed repositories.
fn is_temporary(name: &str) -> bool {
    name == "tmp"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_copied_but_what_is_temporary() {
        let directory = tempfile::tempdir().unwrap();
        let (source, target) = (directory.path().join("a"), directory.path().join("b"));
        for path in ["01/1.git/objects/pack/p.pack", "01/1.git/HEAD", "tmp/view-1/x", "tmp/incoming-1-7/p"] {
            let path = source.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "12345").unwrap();
        }
        assert_eq!(copy(&source, &target).unwrap(), Copied { files: 2, bytes: 10 });
        assert!(target.join("01/1.git/objects/pack/p.pack").exists());
        assert!(!target.join("tmp").exists());
        assert_eq!(copy(&directory.path().join("none"), &target).unwrap(), Copied::default());
    }
}
