//! What differs between two trees, and the text that says so.
//!
//! First [`Objects::diff_trees`] finds the files, with renames as git finds them; then each file's lines are compared, one
//! at a time, so that a page of a large comparison costs no more than the files it shows. The texts are those of `git diff`
//! with its default settings. `.gitattributes` are not read: what is binary is decided by the bytes alone.
//!
//! INVARIANT: every step has limits, and a result that was cut says so.
//!
//! [`Objects::diff_trees`]: crate::objects::Objects::diff_trees

mod header;
mod lines;
mod mail;
mod patch;
mod quote;
mod renames;
mod similarity;
mod stat;
mod text;
mod touched;
mod trees;

use forge_types::ObjectId;

pub use mail::Mail;
pub use patch::{Comparison, FilePatch};
pub use text::DiffText;
pub use touched::TouchLimits;
pub(crate) use trees::changed_paths;

use crate::objects::EntryKind;

/// One side of a change: a file, a link or a submodule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The path.
    pub path: Vec<u8>,
    /// What it is; never a directory.
    pub kind: EntryKind,
    /// The object it names.
    pub id: ObjectId,
}

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(Side),
    /// It is gone.
    Deleted(Side),
    /// Its bytes or its mode changed.
    Modified {
        /// As it was.
        old: Side,
        /// As it is.
        new: Side,
    },
    /// It became something else: a link, a submodule, a file.
    TypeChanged {
        /// As it was.
        old: Side,
        /// As it is.
        new: Side,
    },
    /// It has another path, and perhaps other bytes.
    Renamed {
        /// As it was.
        old: Side,
        /// As it is.
        new: Side,
        /// How much of it is the same, in percent.
        similarity: u8,
    },
    /// It was made from another file that is still there.
    Copied {
        /// The other file.
        old: Side,
        /// As it is.
        new: Side,
        /// How much of it is the same, in percent.
        similarity: u8,
    },
}

impl Change {
    /// Returns the side before.
    pub fn before(&self) -> Option<&Side> {
        match self {
            Self::Added(_) => None,
            Self::Deleted(old)
            | Self::Modified { old, .. }
            | Self::TypeChanged { old, .. }
            | Self::Renamed { old, .. }
            | Self::Copied { old, .. } => Some(old),
        }
    }

    /// Returns the side after.
    pub fn after(&self) -> Option<&Side> {
        match self {
            Self::Deleted(_) => None,
            Self::Added(new)
            | Self::Modified { new, .. }
            | Self::TypeChanged { new, .. }
            | Self::Renamed { new, .. }
            | Self::Copied { new, .. } => Some(new),
        }
    }

    /// Returns the path after the change, or before it if the file is gone.
    pub fn path(&self) -> &[u8] {
        self.after().or(self.before()).map_or(&[], |side| &side.path)
    }
}

/// How files that moved are found.
#[derive(Clone, Copy, Debug)]
pub struct RenameOptions {
    /// How much must be the same, in percent; 50 is git's default.
    pub similarity: u8,
    /// If the numbers of candidates on the two sides have a larger product than the square of this, only files that did not
    /// change are matched. 1000 is git's default.
    pub candidates: usize,
    /// How many bytes of files to read in all; beyond that, files that changed are not matched.
    pub bytes: u64,
    /// Are files also matched with changed ones that are still there?
    pub copies: bool,
}

/// How two trees are compared.
#[derive(Clone, Copy, Debug)]
pub struct DiffOptions {
    /// How files that moved are found; if at all.
    pub renames: Option<RenameOptions>,
    /// How many changes to find before the diff is cut. Renames are looked for among these.
    pub changes: usize,
    /// How many trees to read; more are an error.
    pub trees: usize,
}

/// What differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeDiff {
    /// The changes in the order of their paths.
    pub changes: Vec<Change>,
    /// Are there more changes than were asked for?
    pub is_truncated: bool,
    /// Was the search for renames cut short by its limits?
    pub has_unsearched_renames: bool,
}

/// How much of a file is compared and shown.
#[derive(Clone, Copy, Debug)]
pub struct PatchLimits {
    /// Files of more bytes are not compared.
    pub file_bytes: u64,
    /// How many lines of a file's patch to keep.
    pub lines: usize,
    /// How many bytes of a file's patch to keep.
    pub bytes: usize,
}
