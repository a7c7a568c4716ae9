//! Which commit each line of a file came with.
//!
//! The answers are those of `git blame`, but for files that moved and changed in one commit: gix, which does the work, has
//! another measure of likeness than git.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use forge_types::ObjectId;

use crate::objects::{Objects, Source, from_gix, platform, to_gix};
use crate::{Error, Result};

/// Lines of a file that came together with one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlamedLines {
    /// The first line, counted from 1.
    pub start: u32,
    /// How many lines.
    pub count: NonZeroU32,
    /// The commit that they came with.
    pub commit_id: ObjectId,
    /// The path of the file in that commit.
    pub path: Vec<u8>,
    /// The first line in that commit, counted from 1.
    pub original_start: u32,
}

impl Objects {
    /// Finds which commit each line of a file came with, following the file to where it was before it moved. `lines`, counted
    /// from 1, is the part to look at; all if none is given. The lines are those of the file in `commit_id`, in order.
    ///
    /// Fails with [`MissingObject`](Error::MissingObject) naming the commit if it has no such file, and with
    /// [`TooLarge`](Error::TooLarge) if more than `max_bytes` of objects had to be read.
    pub fn blame(
        &mut self,
        commit_id: ObjectId,
        path: &[u8],
        lines: Option<RangeInclusive<u32>>,
        max_bytes: u64,
    ) -> Result<Vec<BlamedLines>> {
        let Some(entry) = self.entry_at(commit_id, path)? else {
            return Err(Error::MissingObject(commit_id));
        };
        if self.blob_size(entry.id)? == 0 {
            return Ok(Vec::new());
        }
        let source = Source::new(self, max_bytes).with_absent_as_empty();
        // gix has assertions about histories; a history that violates one must not end the program.
        let blame = std::panic::AssertUnwindSafe(|| blame(&source, commit_id, path, lines));
        std::panic::catch_unwind(blame)
            .unwrap_or_else(|_| Err(Error::Corrupt(format!("gix cannot blame a file of {commit_id}"))))
    }
}

fn blame(
    source: &Source<'_>,
    commit_id: ObjectId,
    path: &[u8],
    lines: Option<RangeInclusive<u32>>,
) -> Result<Vec<BlamedLines>> {
    let fault = |error: gix::Error| source.fault(error, "blame a file");
    let ranges = match lines {
        Some(lines) => gix::blame::BlameRanges::from_one_based_inclusive_range(lines)
            .map_err(|error| Error::Protocol(format!("these are no lines: {error}")))?,
        None => gix::blame::BlameRanges::WholeFile,
    };
    let options = gix::blame::Options {
        diff_algorithm: gix::diff::blob::Algorithm::Myers,
        ranges,
        rewrites: Some(gix::diff::Rewrites::default()),
        ..Default::default()
    };
    let start = gix::blame::Start::Commit(to_gix(commit_id));
    let mut files = platform::for_diff(source.hash());
    let found = gix::blame::file(source, start, None, &mut files, path.into(), options).map_err(fault)?;
    let lines = found.entries.into_iter().map(|entry| BlamedLines {
        start: entry.start_in_blamed_file + 1,
        count: entry.len,
        commit_id: from_gix(&entry.commit_id),
        path: entry.source_file_name.map_or_else(|| path.to_vec(), Into::into),
        original_start: entry.start_in_source_file + 1,
    });
    Ok(lines.collect())
}
