//! Three trees into one.

use forge_types::ObjectId;
use gix::merge::blob::builtin_driver::text::Labels;
use gix::merge::plumbing as gix_merge;
use gix_merge::tree::{Conflict as GixConflict, Resolution, ResolutionFailure, TreatAsUnresolved};

use super::{Confirmation, Conflict, ConflictKind, Merge, MergeLimits};
use crate::diff::{Change, changed_paths};
use crate::objects::{CommitDraft, ObjectKind, Objects, PackBuilder, Source, from_gix, platform, to_gix};
use crate::{Error, Result};

/// Merges in memory. For one thread.
///
/// A merge commit is the merged tree with both parents, a squash the merged tree with the first one alone: see
/// [`Merger::commit`].
pub struct Merger<'a> {
    pub(super) source: Source<'a>,
    limits: MergeLimits,
    pub(super) confirmation: Option<Confirmation>,
}

impl std::fmt::Debug for Merger<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merger").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<'a> Merger<'a> {
    /// Merges objects of this reader. Without a confirmation, conflicts are told as gix finds them.
    pub fn new(objects: &'a mut Objects, limits: MergeLimits, confirmation: Option<Confirmation>) -> Self {
        Self { source: Source::new(objects, limits.bytes), limits, confirmation }
    }

    /// Merges two commits as `git merge` does, over all their merge bases.
    pub fn merge(&self, ours: ObjectId, theirs: ObjectId) -> Result<Merge> {
        let fault = |error: gix::Error| self.source.fault(error, "find the base of a merge");
        let mut graph = gix::revwalk::Graph::new(&self.source, None);
        let bases = gix::revision::plumbing::merge_base(to_gix(ours), &[to_gix(theirs)], &mut graph);
        if bases.map_err(fault)?.is_none() {
            return Ok(Merge::Unrelated);
        }
        let attempt = || self.try_merge(ours, theirs, &mut graph);
        self.confirmed(unless_it_panics(attempt), None, ours, theirs)
    }

    fn try_merge(&self, ours: ObjectId, theirs: ObjectId, graph: &mut Graph<'_>) -> Result<Attempt> {
        let hash = self.source.hash();
        let labels = Labels { ancestor: None, current: Some("ours".into()), other: Some("theirs".into()) };
        let options = gix_merge::commit::Options { tree_merge: self.options(), ..Default::default() };
        let merged = gix_merge::commit(
            to_gix(ours),
            to_gix(theirs),
            labels,
            graph,
            &mut platform::for_diff(hash),
            &mut platform::for_merge(hash),
            &self.source,
            &mut |id| id.to_hex_with_len(7).to_string(),
            options,
        );
        let merged = merged.map_err(|error| self.source.fault(error, "merge two commits"))?;
        let has_one_base = merged.merge_bases.is_some_and(|bases| bases.len() == 1);
        let base = from_gix(&merged.merge_base_tree_id);
        let merge = self.finish(merged.tree_merge)?;
        let is_certain = has_one_base && self.is_plain(base, self.tree_of(ours)?, self.tree_of(theirs)?)?;
        Ok(Attempt { merge, is_certain })
    }

    /// Applies what changed from `base` to `theirs`, two commits, to the commit `ours`.
    pub(super) fn merge_over(&self, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> Result<Merge> {
        let attempt = || self.try_merge_over(base, ours, theirs);
        self.confirmed(unless_it_panics(attempt), Some(base), ours, theirs)
    }

    fn try_merge_over(&self, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> Result<Attempt> {
        let hash = self.source.hash();
        let (base, ours, theirs) = (self.tree_of(base)?, self.tree_of(ours)?, self.tree_of(theirs)?);
        let merged = gix_merge::tree(
            &to_gix(base),
            &to_gix(ours),
            &to_gix(theirs),
            Labels {
                ancestor: Some("base".into()),
                current: Some("ours".into()),
                other: Some("theirs".into()),
            },
            &self.source,
            |blob| gix::objs::Write::write_buf(&self.source, gix::objs::Kind::Blob, blob),
            &mut Default::default(),
            &mut platform::for_diff(hash),
            &mut platform::for_merge(hash),
            self.options(),
        );
        let merged = merged.map_err(|error| self.source.fault(error, "merge three trees"))?;
        let merge = self.finish(merged)?;
        Ok(Attempt { merge, is_certain: self.is_plain(base, ours, theirs)? })
    }

    /// Makes a commit of a tree that a merge came to, or of any other.
    pub fn commit(&self, draft: &CommitDraft) -> Result<ObjectId> {
        self.source.add(ObjectKind::Commit, draft.encode())
    }

    /// Puts the new objects that these need into a pack, which is to be stored with what else belongs to it.
    pub fn gather(&self, roots: &[ObjectId], pack: &mut PackBuilder) -> Result<()> {
        self.source.gather(roots, pack)
    }

    /// Returns the tree of a commit, or the empty one for the null id.
    pub(super) fn tree_of(&self, commit_id: ObjectId) -> Result<ObjectId> {
        if commit_id == ObjectId::null(commit_id.format()) {
            return Ok(ObjectId::empty_tree(commit_id.format()));
        }
        let (kind, data) = self.source.read(commit_id)?;
        if kind != ObjectKind::Commit {
            return Err(Error::WrongKind { id: commit_id, expected: "commit" });
        }
        let tree = gix::objs::CommitRefIter::from_bytes(&data, self.source.hash()).tree_id();
        tree.map(|id| from_gix(&id))
            .map_err(|error| Error::corrupt(format_args!("commit {commit_id}"), error))
    }

    fn options(&self) -> gix_merge::tree::Options {
        let rewrites = gix::diff::Rewrites {
            copies: None,
            percentage: Some(0.5),
            limit: self.limits.renames,
            track_empty: false,
        };
        gix_merge::tree::Options { rewrites: Some(rewrites), ..Default::default() }
    }

    fn finish(&self, merged: gix_merge::tree::Outcome<'_>) -> Result<Merge> {
        let unresolved =
            merged.conflicts.iter().filter(|found| found.is_unresolved(TreatAsUnresolved::git()));
        let conflicts: Vec<Conflict> = unresolved.map(conflict).collect();
        if !conflicts.is_empty() {
            return Ok(Merge::Conflicted(conflicts));
        }
        let mut tree = merged.tree;
        let written = tree.write(|tree| gix::objs::Write::write(&self.source, tree));
        let id = written.map_err(|error: gix::Error| self.source.fault(error, "write a merged tree"))?;
        Ok(Merge::Clean { tree_id: from_gix(&id) })
    }

    /// Can no file have moved on either side? Then there is nothing in which gix and git are known to differ. A side that
    /// added files but deleted none, or the other way round, moved none.
    fn is_plain(&self, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> Result<bool> {
        for side in [ours, theirs] {
            let (mut has_added, mut has_deleted) = (false, false);
            let mut read = |id| self.source.tree(id);
            let limit = self.limits.changes;
            let (changes, is_truncated) =
                changed_paths(&mut read, Some(base), Some(side), limit, usize::MAX)?;
            for change in &changes {
                has_added |= matches!(change, Change::Added(_));
                has_deleted |= matches!(change, Change::Deleted(_));
            }
            if is_truncated || has_added && has_deleted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks git about a conflict, a merge in which files may have moved, and one that is beyond gix.
    fn confirmed(
        &self,
        found: Option<Result<Attempt>>,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<Merge> {
        let found = found.transpose()?;
        let is_certain = found
            .as_ref()
            .is_some_and(|found| found.is_certain && matches!(found.merge, Merge::Clean { .. }));
        if let (false, Some(confirmation)) = (is_certain, &self.confirmation)
            && let Some(told) = confirmation.ask(&self.source, base, ours, theirs)?
        {
            return Ok(told);
        }
        let found = found.ok_or_else(|| Error::Corrupt(format!("gix cannot merge {theirs} into {ours}")))?;
        Ok(found.merge)
    }
}

/// What gix made of a merge.
struct Attempt {
    merge: Merge,
    /// Is a clean merge sure to be git's?
    is_certain: bool,
}

type Graph<'a> =
    gix::revwalk::Graph<'a, 'a, gix::revwalk::graph::Commit<gix::revision::plumbing::merge_base::Flags>>;

/// Runs a merge. gix has assertions that some merges of renamed files violate: those are left to git.
fn unless_it_panics(merge: impl FnOnce() -> Result<Attempt>) -> Option<Result<Attempt>> {
    // Nothing that the merge leaves behind half done is looked at: new objects are complete or not there.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(merge)).ok()
}

fn conflict(found: &GixConflict) -> Conflict {
    let (ours, _) = found.changes_in_resolution();
    let has_base = found.entries()[0].is_some();
    let kind = match &found.resolution {
        Ok(Resolution::Forced(failure)) | Err(failure) => match failure {
            ResolutionFailure::SubmoduleMerge | ResolutionFailure::SubmoduleAddAdd => ConflictKind::Submodule,
            ResolutionFailure::OursRenamedTheirsRenamedToSameLocation
            | ResolutionFailure::OursRenamedTheirsRenamedDifferently { .. } => ConflictKind::RenameRename,
            ResolutionFailure::OursModifiedTheirsDirectoryThenOursRenamed { .. }
            | ResolutionFailure::OursDirectoryTheirsNonDirectoryTheirsRenamed { .. } => {
                ConflictKind::FileDirectory
            }
            ResolutionFailure::OursAddedTheirsAddedTypeMismatch { .. }
            | ResolutionFailure::OursModifiedTheirsRenamedTypeMismatch => ConflictKind::TypeMismatch,
            ResolutionFailure::OursDeletedTheirsRenamed => ConflictKind::RenameDelete,
            ResolutionFailure::OursModifiedTheirsDeleted => ConflictKind::ModifyDelete,
            ResolutionFailure::Unknown => ConflictKind::Other,
        },
        Ok(_) if has_base => ConflictKind::Content,
        Ok(_) => ConflictKind::AddAdd,
    };
    Conflict { path: ours.location().to_vec(), kind }
}
