//! How far two commits have gone apart.

use forge_types::ObjectId;

use super::LogQuery;
use super::walk::Walk;
use crate::Result;
use crate::objects::Objects;

/// How many commits each of two histories has that the other lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AheadBehind {
    /// How many the head has that the base lacks.
    pub ahead: usize,
    /// How many the base has that the head lacks.
    pub behind: usize,
}

impl Objects {
    /// Counts the commits that `head` has and `base` lacks, and the other way round, as `git rev-list --left-right --count`.
    ///
    /// Fails with [`TooLarge`](crate::Error::TooLarge) if more than `max_visited` commits would have to be looked at, each way.
    pub fn ahead_behind(
        &mut self,
        base: ObjectId,
        head: ObjectId,
        max_visited: usize,
    ) -> Result<AheadBehind> {
        let ahead = self.count_between(base, head, max_visited)?;
        let behind = self.count_between(head, base, max_visited)?;
        Ok(AheadBehind { ahead, behind })
    }

    /// Counts the commits that `head` reaches and `base` does not.
    fn count_between(&mut self, base: ObjectId, head: ObjectId, max_visited: usize) -> Result<usize> {
        let query = LogQuery { tips: vec![head], hidden: vec![base], max_visited, ..LogQuery::default() };
        Ok(Walk::new(self, &query)?.all_shown()?.len())
    }
}
