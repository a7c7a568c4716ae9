//! Commits applied somewhere else: cherry-pick, revert, rebase.

use forge_types::ObjectId;

use super::rewrite::rewritten;
use super::{Conflict, Merge, Merger};
use crate::objects::{ObjectKind, Signature, from_gix};
use crate::{Error, Result};

/// What a rebase came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebased {
    /// All commits were applied.
    Done {
        /// The new commits, oldest first. A commit whose change was there already has none.
        commit_ids: Vec<ObjectId>,
        /// The last of them, or what they were applied to.
        tip_id: ObjectId,
    },
    /// A commit could not be applied.
    Conflicted {
        /// Which one.
        commit_id: ObjectId,
        /// Where.
        conflicts: Vec<Conflict>,
    },
}

impl Merger<'_> {
    /// Applies what a commit changed to another one and returns the tree. Of a merge, `mainline` says against which parent,
    /// counted from 1, its change is taken.
    pub fn cherry_pick(&self, commit_id: ObjectId, onto: ObjectId, mainline: Option<usize>) -> Result<Merge> {
        self.merge_over(self.base_of(commit_id, mainline)?, onto, commit_id)
    }

    /// Takes what a commit changed back from another one and returns the tree. For `mainline` see
    /// [`Merger::cherry_pick`].
    pub fn revert(&self, commit_id: ObjectId, onto: ObjectId, mainline: Option<usize>) -> Result<Merge> {
        self.merge_over(commit_id, onto, self.base_of(commit_id, mainline)?)
    }

    /// Applies commits, oldest first, one after another. Every one becomes a new commit of this committer with the author
    /// and message it had, even where nothing else changes. Merges are refused.
    pub fn rebase(&self, commits: &[ObjectId], onto: ObjectId, committer: &Signature) -> Result<Rebased> {
        let (mut tip_id, mut commit_ids) = (onto, Vec::new());
        for commit_id in commits {
            let base = self.base_of(*commit_id, None)?;
            let tree_id = match self.merge_over(base, tip_id, *commit_id)? {
                Merge::Clean { tree_id } => tree_id,
                Merge::Conflicted(conflicts) => {
                    return Ok(Rebased::Conflicted { commit_id: *commit_id, conflicts });
                }
                Merge::Unrelated => return Err(Error::Corrupt("a merge over a base found none".into())),
            };
            let was_empty = self.tree_of(base)? == self.tree_of(*commit_id)?;
            if tree_id == self.tree_of(tip_id)? && !was_empty {
                continue;
            }
            let (_, data) = self.source.read(*commit_id)?;
            let data = rewritten(&data, tree_id, &[tip_id], committer);
            tip_id = self.source.add(ObjectKind::Commit, data)?;
            commit_ids.push(tip_id);
        }
        Ok(Rebased::Done { commit_ids, tip_id })
    }

    /// Returns the parent against which a commit's change is taken; the null id for a first commit.
    fn base_of(&self, commit_id: ObjectId, mainline: Option<usize>) -> Result<ObjectId> {
        let (kind, data) = self.source.read(commit_id)?;
        if kind != ObjectKind::Commit {
            return Err(Error::WrongKind { id: commit_id, expected: "commit" });
        }
        let commit = gix::objs::CommitRefIter::from_bytes(&data, self.source.hash());
        let parents: Vec<ObjectId> = commit.parent_ids().map(|id| from_gix(&id)).collect();
        match (parents.len(), mainline) {
            (0, None) => Ok(ObjectId::null(commit_id.format())),
            (1, None) => Ok(parents[0]),
            (_, None) => Err(Error::Protocol(format!(
                "commit {commit_id} is a merge, so that it is not clear what it changed"
            ))),
            (_, Some(number)) => number
                .checked_sub(1)
                .and_then(|at| parents.get(at).copied())
                .ok_or_else(|| Error::Protocol(format!("commit {commit_id} has no parent {number}"))),
        }
    }
}
