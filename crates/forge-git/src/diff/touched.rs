//! Which files a line of new commits touches.

use std::collections::BTreeSet;

use forge_types::ObjectId;

use super::DiffOptions;
use crate::history::LogQuery;
use crate::objects::{Commit, ObjectKind, Objects};
use crate::{Error, Result};

/// How far it is looked.
#[derive(Clone, Copy, Debug)]
pub struct TouchLimits {
    /// How many new commits.
    pub commits: usize,
    /// How many commits to look at in all, known ones included.
    pub visited: usize,
    /// How many files of one commit.
    pub changes: usize,
    /// How many directories of one comparison.
    pub trees: usize,
}

impl Objects {
    /// Returns the paths touched by the commits that `new` reaches and none of `known` does: for each commit the files,
    /// links and submodules that differ from every parent, whether they came, went or changed. `None` if there are more
    /// commits or files than the limits allow, or if `new` does not stand for a commit.
    ///
    /// What a merge took over from one of its parents is not touched by the merge; it is by the commit that made it, if that
    /// one is new.
    ///
    /// # Errors
    /// Only faults of the objects.
    pub fn touched_paths(
        &mut self,
        new: ObjectId,
        known: &[ObjectId],
        limits: &TouchLimits,
    ) -> Result<Option<BTreeSet<Vec<u8>>>> {
        let target = self.peel(new)?;
        if target.kind != ObjectKind::Commit {
            return Ok(None);
        }
        let mut hidden = Vec::with_capacity(known.len());
        for id in known {
            let tip = self.peel(*id)?;
            if tip.kind == ObjectKind::Commit {
                hidden.push(tip.target_id);
            }
        }
        let query = LogQuery {
            tips: vec![target.target_id],
            hidden,
            limit: limits.commits,
            max_visited: limits.visited,
            ..LogQuery::default()
        };
        match self.log(&query) {
            Ok(page) if page.has_more || page.is_cut => Ok(None),
            Ok(page) => self.touched_by(&page.ids, limits),
            Err(Error::TooLarge(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn touched_by(
        &mut self,
        commits: &[ObjectId],
        limits: &TouchLimits,
    ) -> Result<Option<BTreeSet<Vec<u8>>>> {
        let mut touched = BTreeSet::new();
        for id in commits {
            let commit = self.commit(*id)?;
            match self.touched_by_one(&commit, limits) {
                Ok(Some(paths)) => touched.extend(paths),
                Ok(None) | Err(Error::TooLarge(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(touched))
    }

    fn touched_by_one(&mut self, commit: &Commit, limits: &TouchLimits) -> Result<Option<BTreeSet<Vec<u8>>>> {
        let Some((first, others)) = commit.parent_ids.split_first() else {
            return self.differing(None, commit.tree_id, limits);
        };
        let Some(mut paths) = self.differing(Some(*first), commit.tree_id, limits)? else { return Ok(None) };
        for parent in others {
            let Some(other) = self.differing(Some(*parent), commit.tree_id, limits)? else { return Ok(None) };
            paths.retain(|path| other.contains(path));
        }
        Ok(Some(paths))
    }

    fn differing(
        &mut self,
        parent: Option<ObjectId>,
        tree: ObjectId,
        limits: &TouchLimits,
    ) -> Result<Option<BTreeSet<Vec<u8>>>> {
        let old = parent.map(|parent| self.commit(parent).map(|parent| parent.tree_id)).transpose()?;
        let options = DiffOptions { renames: None, changes: limits.changes, trees: limits.trees };
        let diff = self.diff_trees(old, Some(tree), &options)?;
        if diff.is_truncated {
            return Ok(None);
        }
        Ok(Some(diff.changes.iter().map(|change| change.path().to_vec()).collect()))
    }
}
