//! What changed between two trees, file by file.

use std::borrow::Cow;

use forge_git::diff::{Change, Comparison, DiffOptions, PatchLimits, RenameOptions, Side, TreeDiff};
use forge_git::objects::{EntryKind, Objects};
use forge_types::page::PageRequest;
use forge_types::{ObjectId, Result};

use crate::git::fault;

/// As GitHub: so many files are looked at, at most.
const MAX_FILES: usize = 3000;

/// Files over this size are not compared.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// So many bytes are compared in all; the files after that are listed without their lines.
const MAX_COMPARED: u64 = 64 << 20;

/// Of a file's patch no more is shown.
const MAX_LINES: usize = 20_000;
const MAX_PATCH: usize = 1 << 20;

/// The largest diff as a text.
pub(super) const MAX_TEXT: usize = 32 << 20;

/// How trees are compared.
pub(super) const OPTIONS: DiffOptions = DiffOptions {
    renames: Some(RenameOptions { similarity: 50, candidates: 1000, bytes: 64 << 20, copies: false }),
    changes: MAX_FILES,
    trees: 100_000,
};

/// How much of each file is compared for a text.
pub(super) const TEXT_LIMITS: PatchLimits =
    PatchLimits { file_bytes: MAX_FILE_BYTES, lines: usize::MAX, bytes: MAX_TEXT };

/// What happened to a file, as GitHub says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChangeStatus {
    Added,
    Removed,
    Modified,
    Renamed,
    Copied,
    Changed,
}

/// A file, a link or a submodule, before or after it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSide {
    /// What it is.
    pub kind: EntryKind,
    /// The object: of a submodule, a commit of another repository.
    pub id: ObjectId,
    /// How many bytes it has; none of a submodule.
    pub size: Option<u64>,
}

/// A file that changed.
#[derive(Clone, Debug)]
pub struct ChangedFile {
    /// The path after the change, or before it if the file is gone; what is not UTF-8 is replaced.
    pub path: String,
    /// The path before, if it is another.
    pub previous_path: Option<String>,
    /// What happened.
    pub status: ChangeStatus,
    /// What lay there; none if it is new.
    pub before: Option<FileSide>,
    /// What lies there now; none if it is gone.
    pub after: Option<FileSide>,
    /// How its bytes were compared.
    pub comparison: Comparison,
    /// Are there bytes in its path or its hunks that are no text, and stand there as U+FFFD?
    pub has_replaced_bytes: bool,
    /// The object that lies there now, or lay there if the file is gone.
    pub id: ObjectId,
    /// How many lines were added.
    pub additions: u64,
    /// How many lines were deleted.
    pub deletions: u64,
    /// The hunks; none for what has no lines, or too many.
    pub patch: Option<String>,
}

/// How many lines changed in all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many were added.
    pub additions: u64,
    /// How many were deleted.
    pub deletions: u64,
}

/// What changed: a page of the files, and the numbers of all.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The files of the page.
    pub files: Vec<ChangedFile>,
    /// Do more follow?
    pub has_next: bool,
    /// Of all files.
    pub stats: Stats,
}

/// Reads a page of changes. Blocks.
pub(super) fn changes(objects: &mut Objects, diff: &TreeDiff, page: FilePage) -> Result<Changes> {
    let mut room = MAX_COMPARED;
    let mut stats = Stats::default();
    let mut files = Vec::new();
    for (at, change) in diff.changes.iter().enumerate() {
        let is_shown = page.range().contains(&at);
        let file = file(objects, change, is_shown, &mut room)?;
        stats.additions += file.additions;
        stats.deletions += file.deletions;
        if is_shown {
            files.push(file);
        }
    }
    Ok(Changes { files, has_next: diff.changes.len() > page.range().end, stats })
}

fn file(objects: &mut Objects, change: &Change, is_shown: bool, room: &mut u64) -> Result<ChangedFile> {
    let before = change.before().map(|side| file_side(objects, side)).transpose()?;
    let after = change.after().map(|side| file_side(objects, side)).transpose()?;
    let bytes: u64 = [before, after].into_iter().flatten().filter_map(|side| side.size).sum();
    let fits = bytes <= *room;
    *room = room.saturating_sub(bytes);
    let limits = PatchLimits {
        file_bytes: if fits { MAX_FILE_BYTES } else { 0 },
        lines: if is_shown { MAX_LINES } else { 0 },
        bytes: if is_shown { MAX_PATCH } else { 0 },
    };
    let patch = objects.file_patch(change, &limits).map_err(fault)?;
    let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let is_replaced = |bytes: &[u8]| matches!(String::from_utf8_lossy(bytes), Cow::Owned(_));
    let path = text(change.path());
    let previous = change.before().map(|side| text(&side.path)).filter(|previous| *previous != path);
    let side = change.after().or(change.before());
    let hunks = String::from_utf8_lossy(&patch.hunks);
    let shown = hunks.strip_suffix('\n').unwrap_or(&hunks);
    let is_whole = !patch.is_truncated && !shown.is_empty();
    Ok(ChangedFile {
        path,
        previous_path: previous,
        status: status(change),
        before,
        after,
        comparison: patch.comparison,
        has_replaced_bytes: is_replaced(change.path()) || is_replaced(&patch.hunks),
        id: side.map_or_else(|| ObjectId::null(forge_types::ObjectFormat::Sha1), |side| side.id),
        additions: patch.additions,
        deletions: patch.deletions,
        patch: is_whole.then(|| shown.to_owned()),
    })
}

fn file_side(objects: &mut Objects, side: &Side) -> Result<FileSide> {
    let size = match side.kind {
        EntryKind::Submodule => None,
        _ => Some(objects.blob_size(side.id).map_err(fault)?),
    };
    Ok(FileSide { kind: side.kind, id: side.id, size })
}

const fn status(change: &Change) -> ChangeStatus {
    match change {
        Change::Added(_) => ChangeStatus::Added,
        Change::Deleted(_) => ChangeStatus::Removed,
        Change::Modified { .. } => ChangeStatus::Modified,
        Change::TypeChanged { .. } => ChangeStatus::Changed,
        Change::Renamed { .. } => ChangeStatus::Renamed,
        Change::Copied { .. } => ChangeStatus::Copied,
    }
}

/// Which of the changed files are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilePage {
    first: usize,
    size: usize,
}

impl FilePage {
    /// GitHub shows 300 at once, or as many as are asked for.
    pub(super) fn new(page: Option<PageRequest>) -> Self {
        const SIZE: usize = 300;
        match page {
            None => Self { first: 0, size: SIZE },
            Some(page) => Self {
                first: usize::try_from(page.offset()).unwrap_or(usize::MAX),
                size: usize::try_from(page.size()).unwrap_or(SIZE),
            },
        }
    }

    const fn range(self) -> std::ops::Range<usize> {
        self.first..self.first.saturating_add(self.size)
    }
}
