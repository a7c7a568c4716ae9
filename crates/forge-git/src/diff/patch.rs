//! Comparing the bytes of one file.

use super::lines::{Compared, is_binary};
use super::{Change, PatchLimits, Side};
use crate::Result;
use crate::objects::{EntryKind, Objects};

/// How the bytes of a file were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same.
    Same,
    /// Line by line.
    Lines,
    /// They are not text.
    Binary,
    /// Not at all: there are too many.
    TooLarge,
}

/// What changed in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePatch {
    /// How many lines were added, whether shown or not.
    pub additions: u64,
    /// How many lines were deleted, whether shown or not.
    pub deletions: u64,
    /// How it was compared.
    pub comparison: Comparison,
    /// The hunks, from the first `@@`, without a header: what GitHub's API calls `patch`.
    pub hunks: Vec<u8>,
    /// Were hunks or lines left out?
    pub is_truncated: bool,
}

impl Objects {
    /// Compares a file line by line.
    ///
    /// Of a type change the two halves follow one another in [`FilePatch::hunks`].
    pub fn file_patch(&mut self, change: &Change, limits: &PatchLimits) -> Result<FilePatch> {
        match change {
            Change::TypeChanged { old, new } => {
                let mut patch = self.compare(Some(old), None, limits)?;
                let lines = patch.hunks.iter().filter(|byte| **byte == b'\n').count();
                let rest = PatchLimits {
                    lines: limits.lines.saturating_sub(lines),
                    bytes: limits.bytes.saturating_sub(patch.hunks.len()),
                    ..*limits
                };
                let added = self.compare(None, Some(new), &rest)?;
                patch.additions += added.additions;
                patch.deletions += added.deletions;
                patch.comparison =
                    if added.comparison == Comparison::Same { patch.comparison } else { added.comparison };
                patch.hunks.extend_from_slice(&added.hunks);
                patch.is_truncated |= added.is_truncated;
                Ok(patch)
            }
            change => self.compare(change.before(), change.after(), limits),
        }
    }

    /// Compares two files; none stands for an absent one.
    pub(super) fn compare(
        &mut self,
        old: Option<&Side>,
        new: Option<&Side>,
        limits: &PatchLimits,
    ) -> Result<FilePatch> {
        let without_lines = |comparison| FilePatch {
            additions: 0,
            deletions: 0,
            comparison,
            hunks: Vec::new(),
            is_truncated: false,
        };
        if old.map(|side| side.id) == new.map(|side| side.id) {
            return Ok(without_lines(Comparison::Same));
        }
        let (Some(old), Some(new)) = (self.content(old, limits)?, self.content(new, limits)?) else {
            return Ok(FilePatch { is_truncated: true, ..without_lines(Comparison::TooLarge) });
        };
        if is_binary(&old) || is_binary(&new) {
            return Ok(without_lines(Comparison::Binary));
        }
        let compared = Compared::new(&old, &new);
        let hunks = compared.hunks(limits.lines, limits.bytes);
        Ok(FilePatch {
            additions: compared.additions(),
            deletions: compared.deletions(),
            // An empty file that came or went has no lines.
            comparison: if old == new { Comparison::Same } else { Comparison::Lines },
            hunks: hunks.text,
            is_truncated: hunks.is_truncated,
        })
    }

    /// Returns the text that stands for one side; nothing if it is too large.
    fn content(&mut self, side: Option<&Side>, limits: &PatchLimits) -> Result<Option<Vec<u8>>> {
        let Some(side) = side else { return Ok(Some(Vec::new())) };
        if side.kind == EntryKind::Submodule {
            return Ok(Some(submodule(side).into_bytes()));
        }
        if self.blob_size(side.id)? > limits.file_bytes {
            return Ok(None);
        }
        self.blob(side.id, limits.file_bytes).map(Some)
    }

    /// Returns how many bytes the text that stands for one side has.
    pub(super) fn side_size(&mut self, side: &Side) -> Result<u64> {
        match side.kind {
            EntryKind::Submodule => Ok(submodule(side).len() as u64),
            _ => self.blob_size(side.id),
        }
    }
}

/// Returns the text that stands for a submodule.
fn submodule(side: &Side) -> String {
    format!("Subproject commit {}\n", side.id)
}
