//! A whole diff as text: what GitHub serves as `.diff`.

use super::header::header;
use super::{Change, FilePatch, PatchLimits, TreeDiff};
use crate::Result;
use crate::objects::Objects;

/// A diff as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffText {
    /// As `git diff` prints it.
    pub text: Vec<u8>,
    /// Were files, hunks or lines left out?
    pub is_truncated: bool,
}

impl Objects {
    /// Returns a diff as `git diff` prints it, ids cut to so many hex digits. `max_bytes` bounds the whole text; it ends after
    /// a file.
    pub fn diff_text(
        &mut self,
        diff: &TreeDiff,
        limits: &PatchLimits,
        digits: usize,
        max_bytes: usize,
    ) -> Result<DiffText> {
        let mut whole = DiffText { text: Vec::new(), is_truncated: diff.is_truncated };
        for change in &diff.changes {
            let (text, is_truncated) = self.file_text(change, limits, digits)?;
            if whole.text.len() + text.len() > max_bytes {
                whole.is_truncated = true;
                break;
            }
            whole.text.extend_from_slice(&text);
            whole.is_truncated |= is_truncated;
        }
        Ok(whole)
    }

    /// Returns the text of one file with its header, and whether it was cut.
    fn file_text(&mut self, change: &Change, limits: &PatchLimits, digits: usize) -> Result<(Vec<u8>, bool)> {
        let halves = match change {
            Change::TypeChanged { old, new } => {
                vec![Change::Deleted(old.clone()), Change::Added(new.clone())]
            }
            change => vec![change.clone()],
        };
        let mut text = Vec::new();
        let mut is_cut = false;
        for half in halves {
            let FilePatch { comparison, hunks, is_truncated, .. } =
                self.compare(half.before(), half.after(), limits)?;
            text.extend_from_slice(header(&half, comparison, digits).as_bytes());
            text.extend_from_slice(&hunks);
            is_cut |= is_truncated;
        }
        Ok((text, is_cut))
    }
}
