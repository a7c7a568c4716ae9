//! A tree as one file: tar, tar.gz, zip.
//!
//! The tar is byte for byte that of `git archive`; the zip has the same entries. Everything has the time of the commit, so
//! that the same commit gives the same archive. What `.gitattributes` of the tree mark with `export-ignore` is left out;
//! `export-subst` is not done: the texts stay as they are.
//!
//! INVARIANT: memory does not grow with the archive. Files are written as they are read, and who reads slowly holds the
//! writer up.

mod attributes;
mod tar;
mod walk;
mod zip;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use forge_types::ObjectId;

use crate::objects::Objects;
use crate::{Error, Result};

/// The kinds of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// A tape archive in the POSIX format.
    Tar,
    /// The same, compressed.
    TarGz,
    /// A zip file.
    Zip,
}

/// What an archive is made of.
#[derive(Clone, Debug)]
pub struct ArchiveRequest {
    /// The commit.
    pub commit_id: ObjectId,
    /// What stands before every path, such as `name-1.0/`; may be empty.
    pub prefix: String,
    /// How many files and directories to write; more are an error, and the archive is incomplete.
    pub max_entries: usize,
    /// How many bytes of files to write; more are an error, and the archive is incomplete.
    pub max_bytes: u64,
}

impl Objects {
    /// Writes the tree of a commit into a sink as an archive.
    pub fn archive(
        &mut self,
        format: ArchiveFormat,
        request: &ArchiveRequest,
        sink: &mut dyn Write,
    ) -> Result<()> {
        let commit = self.commit(request.commit_id)?;
        match format {
            ArchiveFormat::Tar => {
                let mut tar = tar::Tar::new(sink, request.commit_id, commit.committer.seconds)?;
                walk::walk(self, commit.tree_id, request, &mut tar)?;
                tar.finish()?;
            }
            ArchiveFormat::TarGz => {
                let mut packed = GzEncoder::new(sink, Compression::default());
                let mut tar = tar::Tar::new(&mut packed, request.commit_id, commit.committer.seconds)?;
                walk::walk(self, commit.tree_id, request, &mut tar)?;
                tar.finish()?;
                packed.finish().map_err(failed())?;
            }
            ArchiveFormat::Zip => {
                let mut zip = zip::Zip::new(sink, request.commit_id, commit.committer.seconds);
                walk::walk(self, commit.tree_id, request, &mut zip)?;
                zip.finish()?;
            }
        }
        Ok(())
    }
}

/// Says that the sink does not take more.
fn failed() -> impl FnOnce(std::io::Error) -> Error {
    Error::io("write an archive")
}
