//! Two commits compared: what the second has that the first lacks, since they went apart.

use forge_git::history::{LogOrder, LogQuery};
use forge_git::objects::{Commit, Objects};
use forge_types::page::PageRequest;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectId, Result};

use super::changes::{FilePage, MAX_TEXT, OPTIONS, TEXT_LIMITS, changes};
use super::one::{DIGITS, too_large};
use super::{ChangedFile, MAX_VISITED};
use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{Opened, commit_of};
use crate::target::RepositoryTarget;

/// So many commits are shown at once, as on GitHub, unless a page is asked for.
const COMMITS: usize = 250;

/// How two commits lie to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are GitHub's")]
pub enum ComparisonStatus {
    Diverged,
    Ahead,
    Behind,
    Identical,
}

/// What came of comparing two commits.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The first.
    pub base: Commit,
    /// The second.
    pub head_id: ObjectId,
    /// Where they went apart.
    pub merge_base: Commit,
    /// How many commits the second has that the first lacks.
    pub ahead: usize,
    /// How many commits the first has that the second lacks.
    pub behind: usize,
    /// A page of the commits that the first lacks, oldest first.
    pub commits: Vec<Commit>,
    /// Do more commits follow?
    pub has_next: bool,
    /// The files that changed since they went apart; on the first page only.
    pub files: Vec<ChangedFile>,
}

impl Comparison {
    /// Returns how they lie to one another.
    #[must_use]
    pub const fn status(&self) -> ComparisonStatus {
        match (self.ahead, self.behind) {
            (0, 0) => ComparisonStatus::Identical,
            (_, 0) => ComparisonStatus::Ahead,
            (0, _) => ComparisonStatus::Behind,
            _ => ComparisonStatus::Diverged,
        }
    }
}

/// Compares two commits, each named by branch, tag or full id.
///
/// # Errors
/// `NotFound` if one of them is none that the caller may read, or they have nothing in common; `TooLarge` if they lie too far
/// apart.
pub async fn compare(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    base: &str,
    head: &str,
    page: Option<PageRequest>,
) -> Result<(RepositoryAccess, Comparison)> {
    let (opened, base, head) = open(ctx, target, base, head).await?;
    let comparison = opened.read(move |objects| read(objects, base, head, page)).await?;
    Ok((opened.access, comparison))
}

/// Returns what changed since two commits went apart, as `git diff` prints it.
///
/// # Errors
/// As [`compare`].
pub async fn compare_diff(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    base: &str,
    head: &str,
) -> Result<Vec<u8>> {
    let (opened, base, head) = open(ctx, target, base, head).await?;
    opened
        .read(move |objects| {
            let sides = Sides::find(objects, base, head)?;
            let diff = sides.diff(objects)?;
            let text = objects.diff_text(&diff, &TEXT_LIMITS, DIGITS, MAX_TEXT).map_err(fault)?;
            if text.is_truncated { Err(too_large()) } else { Ok(text.text) }
        })
        .await
}

/// Returns the commits that the first lacks as mails, oldest first.
///
/// # Errors
/// As [`compare`].
pub async fn compare_patch(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    base: &str,
    head: &str,
) -> Result<Vec<u8>> {
    let (opened, base, head) = open(ctx, target, base, head).await?;
    opened.read(move |objects| mails(objects, base, head)).await
}

async fn open(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    base: &str,
    head: &str,
) -> Result<(Opened, ObjectId, ObjectId)> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    let mut ids = Vec::new();
    for name in [base, head] {
        // Without forks, the owner before a colon can only be the repository's own.
        let name = match name.split_once(':') {
            Some((owner, rest)) if owner.eq_ignore_ascii_case(&opened.access.repository.owner.login) => rest,
            _ => name,
        };
        if name.is_empty() {
            return Err(Error::not_found());
        }
        ids.push(opened.resolve(Some(name)).await?.id);
    }
    Ok((opened, ids[0], ids[1]))
}

/// The two commits and where they went apart.
struct Sides {
    base: ObjectId,
    head: ObjectId,
    merge_base: ObjectId,
}

impl Sides {
    fn find(objects: &mut Objects, base: ObjectId, head: ObjectId) -> Result<Self> {
        let (base, head) = (commit_of(objects, base)?, commit_of(objects, head)?);
        let bases = objects.merge_bases(base, head, MAX_VISITED).map_err(fault)?;
        let merge_base = *bases.first().ok_or_else(Error::not_found)?;
        Ok(Self { base, head, merge_base })
    }

    fn diff(&self, objects: &mut Objects) -> Result<forge_git::diff::TreeDiff> {
        let old = objects.commit(self.merge_base).map_err(fault)?.tree_id;
        let new = objects.commit(self.head).map_err(fault)?.tree_id;
        objects.diff_trees(Some(old), Some(new), &OPTIONS).map_err(fault)
    }

    /// Returns commits that the base lacks: so many, after the first ones in the order of `git log`.
    fn commits(&self, objects: &mut Objects, skip: usize, limit: usize) -> Result<Vec<ObjectId>> {
        let query = LogQuery {
            tips: vec![self.head],
            hidden: vec![self.base],
            order: LogOrder::Topological,
            skip,
            limit,
            max_visited: MAX_VISITED,
            ..LogQuery::default()
        };
        Ok(objects.log(&query).map_err(fault)?.ids)
    }
}

fn read(
    objects: &mut Objects,
    base: ObjectId,
    head: ObjectId,
    page: Option<PageRequest>,
) -> Result<Comparison> {
    let sides = Sides::find(objects, base, head)?;
    let counts = objects.ahead_behind(sides.base, sides.head, MAX_VISITED).map_err(fault)?;
    let (first, size) = match page {
        None => (0, COMMITS),
        Some(page) => (
            usize::try_from(page.offset()).unwrap_or(usize::MAX),
            usize::try_from(page.size()).unwrap_or(COMMITS),
        ),
    };
    // Pages go from the oldest on, the log from the newest.
    let end = counts.ahead.saturating_sub(first);
    let start = end.saturating_sub(size);
    let mut ids = if end > start { sides.commits(objects, start, end - start)? } else { Vec::new() };
    ids.reverse();
    let files = match first {
        0 => {
            let diff = sides.diff(objects)?;
            changes(objects, &diff, FilePage::new(None))?.files
        }
        _ => Vec::new(),
    };
    let commits = ids.iter().map(|id| objects.commit(*id).map_err(fault));
    let commits = commits.collect::<Result<_>>()?;
    Ok(Comparison {
        base: objects.commit(sides.base).map_err(fault)?,
        head_id: sides.head,
        merge_base: objects.commit(sides.merge_base).map_err(fault)?,
        ahead: counts.ahead,
        behind: counts.behind,
        commits,
        has_next: start > 0,
        files,
    })
}

fn mails(objects: &mut Objects, base: ObjectId, head: ObjectId) -> Result<Vec<u8>> {
    let sides = Sides::find(objects, base, head)?;
    let mut ids = Vec::new();
    for id in sides.commits(objects, 0, COMMITS + 1)? {
        // `git format-patch` leaves merges out.
        if objects.commit(id).map_err(fault)?.parent_ids.len() < 2 {
            ids.insert(0, id);
        }
    }
    if ids.len() > COMMITS {
        return Err(too_large());
    }
    let mut text = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let room = MAX_TEXT.saturating_sub(text.len());
        let number = Some((at + 1, ids.len()));
        let mail = objects.mail(*id, number, &OPTIONS, &TEXT_LIMITS, DIGITS, room).map_err(fault)?;
        if mail.is_truncated {
            return Err(too_large());
        }
        text.extend_from_slice(&mail.text);
    }
    Ok(text)
}
