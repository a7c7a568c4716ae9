//! Which added file is a deleted one under another name. See gitdiffcore(7), "Detecting renames and copies".
//!
//! Three passes as in git: files with the same bytes; files that alone have their name on both sides and share three
//! quarters; then everything with everything, best match first.

use std::collections::HashMap;

use forge_types::ObjectId;

use super::similarity::{MAX_SCORE, Similarity};
use super::trees::is_file;
use super::{Change, RenameOptions, Side, TreeDiff};
use crate::Result;
use crate::objects::Objects;

/// So many of the best matches are remembered for each new file.
const BEST: usize = 4;

/// So many files with the same bytes are tried.
const TRIES: usize = 100;

/// Turns additions and deletions into renames, and additions into copies.
pub(super) fn find(objects: &mut Objects, diff: &mut TreeDiff, options: &RenameOptions) -> Result<()> {
    let mut search = Search::new(&diff.changes, options);
    if search.sources.is_empty() || search.targets.is_empty() {
        return Ok(());
    }
    search.match_equal();
    if options.similarity < 100 {
        let mut similarity = Similarity::new(options.bytes);
        if !options.copies {
            search.match_names(objects, &mut similarity)?;
        }
        let is_complete = search.match_all(objects, &mut similarity)?;
        diff.has_unsearched_renames = !is_complete || similarity.is_cut;
    }
    let (sources, targets) = (search.sources, search.targets);
    apply(diff, &sources, &targets);
    Ok(())
}

/// A file from which another may have been made.
struct Source {
    side: Side,
    /// Its place among the changes.
    change: usize,
    /// How many targets were made from it; one more if it is still there.
    uses: usize,
}

/// A new file.
struct Target {
    side: Side,
    change: usize,
    /// The source and the score.
    made_from: Option<(usize, u64)>,
}

#[derive(Clone, Copy)]
struct Match {
    source: usize,
    target: usize,
    score: u64,
    has_same_name: bool,
}

struct Search<'a> {
    sources: Vec<Source>,
    targets: Vec<Target>,
    minimum: u64,
    options: &'a RenameOptions,
}

impl<'a> Search<'a> {
    fn new(changes: &[Change], options: &'a RenameOptions) -> Self {
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for (change, found) in changes.iter().enumerate() {
            match found {
                Change::Added(side) => targets.push(Target { side: side.clone(), change, made_from: None }),
                Change::Deleted(side) => sources.push(Source { side: side.clone(), change, uses: 0 }),
                Change::Modified { old, .. } | Change::TypeChanged { old, .. } if options.copies => {
                    sources.push(Source { side: old.clone(), change, uses: 1 });
                }
                _ => {}
            }
        }
        Self { sources, targets, minimum: u64::from(options.similarity) * MAX_SCORE / 100, options }
    }

    fn is_open(&self, source: usize) -> bool {
        self.options.copies || self.sources[source].uses == 0
    }

    fn accept(&mut self, source: usize, target: usize, score: u64) {
        self.sources[source].uses += 1;
        self.targets[target].made_from = Some((source, score));
    }

    fn match_equal(&mut self) {
        let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (at, source) in self.sources.iter().enumerate() {
            by_id.entry(source.side.id).or_default().push(at);
        }
        for target in 0..self.targets.len() {
            let side = &self.targets[target].side;
            let mut best: Option<(usize, usize)> = None;
            for source in by_id.get(&side.id).into_iter().flatten().copied().take(TRIES) {
                let other = &self.sources[source];
                let is_same_type =
                    other.side.kind == side.kind || is_file(other.side.kind) && is_file(side.kind);
                if !is_same_type || !self.is_open(source) {
                    continue;
                }
                let rank = usize::from(other.uses == 0) + usize::from(name(&other.side) == name(side));
                if best.is_none_or(|(best, _)| rank > best) {
                    best = Some((rank, source));
                }
            }
            if let Some((_, source)) = best {
                self.accept(source, target, MAX_SCORE);
            }
        }
    }

    fn match_names(&mut self, objects: &mut Objects, similarity: &mut Similarity) -> Result<()> {
        let open = (0..self.sources.len()).filter(|at| self.is_open(*at));
        let sources = unique(open.map(|at| (name(&self.sources[at].side), at)));
        let open = (0..self.targets.len()).filter(|at| self.targets[*at].made_from.is_none());
        let targets = unique(open.map(|at| (name(&self.targets[at].side), at)));
        let mut pairs: Vec<(usize, usize)> =
            sources.iter().filter_map(|(name, source)| Some(((*source)?, (*targets.get(name)?)?))).collect();
        pairs.sort_unstable();
        let minimum = self.minimum + (MAX_SCORE - self.minimum) / 2;
        for (source, target) in pairs {
            let score = self.score(objects, similarity, source, target)?;
            if score >= minimum {
                self.accept(source, target, score);
            }
        }
        Ok(())
    }

    /// Returns whether the limit on candidates allowed it.
    fn match_all(&mut self, objects: &mut Objects, similarity: &mut Similarity) -> Result<bool> {
        let sources: Vec<usize> = (0..self.sources.len()).filter(|at| self.is_open(*at)).collect();
        let open = |at: &usize| self.targets[*at].made_from.is_none();
        let targets: Vec<usize> = (0..self.targets.len()).filter(open).collect();
        let limit = self.options.candidates;
        if sources.len().saturating_mul(targets.len()) > limit.saturating_mul(limit) {
            return Ok(false);
        }
        let mut matches = Vec::new();
        for target in targets {
            let mut best: Vec<Match> = Vec::with_capacity(BEST);
            for source in &sources {
                let score = self.score(objects, similarity, *source, target)?;
                let has_same_name = name(&self.sources[*source].side) == name(&self.targets[target].side);
                keep_best(&mut best, Match { source: *source, target, score, has_same_name });
            }
            matches.extend(best.into_iter().filter(|found| found.score >= self.minimum));
        }
        matches.sort_by_key(|found| std::cmp::Reverse((found.score, found.has_same_name)));
        for may_copy in [false, true] {
            for found in matches.iter().filter(|_| !may_copy || self.options.copies) {
                let is_taken = !may_copy && self.sources[found.source].uses > 0;
                if self.targets[found.target].made_from.is_none() && !is_taken {
                    self.accept(found.source, found.target, found.score);
                }
            }
        }
        Ok(true)
    }

    fn score(
        &self,
        objects: &mut Objects,
        similarity: &mut Similarity,
        source: usize,
        target: usize,
    ) -> Result<u64> {
        let (old, new) = (&self.sources[source].side, &self.targets[target].side);
        if !is_file(old.kind) || !is_file(new.kind) {
            return Ok(0);
        }
        similarity.score(objects, old.id, new.id, self.minimum)
    }
}

/// Adds a match if there is room or if it is better than the worst one, which it replaces.
fn keep_best(best: &mut Vec<Match>, found: Match) {
    let rank = |found: &Match| (found.score, found.has_same_name);
    if best.len() < BEST {
        best.push(found);
        return;
    }
    let worst = (0..best.len()).min_by_key(|at| rank(&best[*at])).unwrap_or(0);
    if rank(&found) > rank(&best[worst]) {
        best[worst] = found;
    }
}

/// Returns the last name of a path.
fn name(side: &Side) -> &[u8] {
    side.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Returns what alone has its name; nothing for a name that several have.
fn unique<'n>(named: impl Iterator<Item = (&'n [u8], usize)>) -> HashMap<Vec<u8>, Option<usize>> {
    let mut found: HashMap<Vec<u8>, Option<usize>> = HashMap::new();
    for (name, at) in named {
        found.entry(name.to_vec()).and_modify(|known| *known = None).or_insert(Some(at));
    }
    found
}

/// Puts renames and copies where the new file is; the last target of a deleted file is its rename.
fn apply(diff: &mut TreeDiff, sources: &[Source], targets: &[Target]) {
    let mut uses: Vec<usize> = sources.iter().map(|source| source.uses).collect();
    let mut gone: Vec<bool> = vec![false; diff.changes.len()];
    for source in sources.iter().filter(|source| source.uses > 0) {
        gone[source.change] = matches!(diff.changes[source.change], Change::Deleted(_));
    }
    for target in targets {
        let Some((source, score)) = target.made_from else { continue };
        let (old, new) = (sources[source].side.clone(), target.side.clone());
        let similarity = u8::try_from(score * 100 / MAX_SCORE).unwrap_or(100);
        uses[source] -= 1;
        diff.changes[target.change] = match uses[source] {
            0 => Change::Renamed { old, new, similarity },
            _ => Change::Copied { old, new, similarity },
        };
    }
    let mut gone = gone.into_iter();
    diff.changes.retain(|_| !gone.next().unwrap_or(false));
}
