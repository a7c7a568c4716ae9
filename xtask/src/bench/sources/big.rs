//! A repository of large files that nothing compresses, and of many small ones: what its push costs is memory and time alone.

use std::path::Path;
use std::process::Command;

use super::import::{Commit, import};
use super::words::{Chance, Words, data};
use super::{git, run};
use crate::Result;

/// Small files beside the large ones.
const SMALL: usize = 20_000;

/// Writes a commit for each large file, of 10 to 50 MB, until they have so many bytes.
pub(super) fn fill(repository: &Path, total: usize) -> Result<()> {
    // Written as it comes: neither compressed nor looked at for differences, in one pack.
    for setting in ["core.compression=0", "core.bigFileThreshold=1m", "fastimport.unpackLimit=1"] {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        run(git(repository).args(["config", name, value]))?;
    }
    import(repository, None, |out| {
        let (words, mut chance) = (Words::new(), Chance::new(9));
        let (mut written, mut number) = (0, 0);
        while written < total {
            let message = words.line(&mut chance);
            let (branch, mark) = ("refs/heads/main", 1 + number);
            Commit { branch, mark, number, message: message.trim(), from: None, merge: None }.write(out)?;
            if number == 0 {
                for file in 0..SMALL.min(total >> 16) {
                    writeln!(out, "M 100644 inline src/part{:03}/file{file}.txt", file % 200)?;
                    data(out, words.lines(&mut chance, 10).join("\n").as_bytes())?;
                }
            }
            let size = (10_000_000 + chance.below(40_000_000)).min(total - written);
            writeln!(out, "M 100644 inline media/recording{number}.bin")?;
            data(out, &chance.bytes(size))?;
            (written, number) = (written + size, number + 1);
        }
        Ok(())
    })
}

/// Brings it into the form of the other repositories.
pub(super) fn pack(repository: &Path) -> Result<()> {
    run(git(repository).args(["pack-refs", "--all"]))?;
    // The small files may have been written beside the pack of the large ones.
    let mut repack: Command = git(repository);
    run(repack.args(["repack", "-ad", "--quiet", "--window=0"]))
}
