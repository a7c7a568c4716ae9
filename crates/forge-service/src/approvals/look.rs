//! What a human sees before deciding: who asks, for which task, what would change and what would be lost.
//!
//! INVARIANT: what is not shown is in [`Look::unshown`], and nothing that is there is approved without a word about it.

use std::collections::HashSet;

use forge_git::objects::{ObjectKind, Objects, Tag};
use forge_store::approvals::ViewedApproval;
use forge_types::approval::{ApprovalState, Asked, HeldChange};
use forge_types::grant::TaskGrant;
use forge_types::id::ApprovalId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectId, Result};

use super::execute;
use super::room::{Room, ShownCommit, ShownFile, ShownTag};
use crate::commits::{ListedCommits, Stats, changed_files, commits_beyond};
use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{Opened, commit_of};
use crate::target::RepositoryTarget;

/// No more commits are looked at for what two histories have in common.
const MAX_VISITED: usize = 200_000;

/// An approval with what it is about.
#[derive(Clone, Debug)]
pub struct Look {
    /// The approval.
    pub found: ViewedApproval,
    /// The grant that it was asked under.
    pub grant: Option<TaskGrant>,
    /// The repository; none if the caller may not read it.
    pub repository: Option<RepositoryAccess>,
    /// What would change, while that can be read.
    pub changes: Vec<ShownChange>,
    /// Why this can no longer be done, as far as that is known before it is tried.
    pub obstacle: Option<String>,
}

/// One ref change, and what it does.
#[derive(Clone, Debug)]
pub struct ShownChange {
    /// The change.
    pub held: HeldChange,
    /// Is it about the default branch?
    pub is_default: bool,
    /// What it brings and takes away; none if there is too much of it to be read.
    pub content: Option<Content>,
}

/// What a ref change brings and takes away.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The annotated tag that it brings.
    pub tag: Option<ShownTag>,
    /// The commits it brings to where the ref is, or to the default branch if the ref is new.
    pub added: ShownCommits,
    /// How many commits leave the ref, be they in others or not.
    pub leaving: usize,
    /// Those that no ref reaches any more.
    pub lost: ShownCommits,
    /// The files that differ: from where the ref is to where it would be; of a new ref, from where it left the default
    /// branch; of one that goes with what it alone has, to where it left the default branch.
    pub files: ShownFiles,
}

/// Commits, the newest of which are shown.
#[derive(Clone, Debug, Default)]
pub struct ShownCommits {
    /// How many there are.
    pub count: usize,
    /// The newest of them, oldest first.
    pub commits: Vec<ShownCommit>,
}

/// Files, the first of which are shown.
#[derive(Clone, Debug, Default)]
pub struct ShownFiles {
    /// How many there are.
    pub count: usize,
    /// Are there more than were counted?
    pub is_cut: bool,
    /// How many lines differ in those that were counted.
    pub stats: Stats,
    /// Is one of them a workflow?
    pub touches_workflows: bool,
    /// The first of them.
    pub files: Vec<ShownFile>,
}

/// Something that would happen and is not shown.
#[derive(Clone, Copy, Debug)]
pub enum Unshown<'a> {
    /// Everything: the caller may not read the repository.
    Repository,
    /// What a ref change brings and takes away.
    Change(&'a HeldChange),
    /// So many commits that a ref change brings or takes away.
    Commits(&'a HeldChange, usize),
    /// The end of what a commit says.
    Message(&'a ShownCommit),
    /// The end of what an annotated tag says.
    Tag(&'a HeldChange),
    /// So many files of a ref change, or more.
    Files(&'a HeldChange, usize),
    /// A file, or some lines of it.
    File(&'a ShownFile),
}

impl Look {
    /// Returns what would happen and is not shown.
    #[must_use]
    pub fn unshown(&self) -> Vec<Unshown<'_>> {
        if matches!(self.found.approval.asked, Asked::Request { .. }) {
            return Vec::new();
        }
        if self.repository.is_none() {
            return vec![Unshown::Repository];
        }
        self.changes.iter().flat_map(ShownChange::unshown).collect()
    }
}

impl ShownChange {
    fn unshown(&self) -> Vec<Unshown<'_>> {
        let Some(content) = &self.content else { return vec![Unshown::Change(&self.held)] };
        let mut unshown = Vec::new();
        let is_tag_cut = content.tag.as_ref().is_some_and(|tag| tag.is_cut);
        unshown.extend(is_tag_cut.then_some(Unshown::Tag(&self.held)));
        for listed in [&content.added, &content.lost] {
            let rest = listed.count - listed.commits.len();
            unshown.extend((rest > 0).then_some(Unshown::Commits(&self.held, rest)));
            unshown.extend(listed.commits.iter().filter(|commit| commit.is_cut).map(Unshown::Message));
        }
        let files = &content.files;
        let rest = files.count - files.files.len();
        unshown.extend((rest > 0 || files.is_cut).then_some(Unshown::Files(&self.held, rest)));
        unshown.extend(files.files.iter().filter(|file| file.hidden.is_some()).map(Unshown::File));
        unshown
    }
}

/// Returns an approval with what a human has to know to decide. The content of the repository is shown to those alone who may
/// read it.
///
/// # Errors
/// As for [`find`](super::find).
pub async fn look(ctx: &RequestContext, id: &ApprovalId) -> Result<Look> {
    let found = super::find(ctx, id).await?;
    let approval = &found.approval;
    let mut conn = ctx.read().await?;
    let grant = match &approval.grant_id {
        Some(id) => {
            let viewed = forge_store::grants::find_viewed(&mut conn, ctx.account_id(), id).await?;
            viewed.map(|viewed| viewed.grant)
        }
        None => None,
    };
    drop(conn);
    let is_pending = approval.state(ctx.now()) == ApprovalState::Pending;
    let nothing =
        |found, grant, obstacle| Look { found, grant, repository: None, changes: Vec::new(), obstacle };
    let Some(id) = approval.repository_id else {
        let obstacle = if is_pending { execute::obstacle(ctx, approval).await? } else { None };
        return Ok(nothing(found, grant, obstacle));
    };
    let opened = match Opened::open(ctx, RepositoryTarget::Id(id), Action::CodeRead).await {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) => {
            // Where the refs are now is for readers to know.
            return Ok(nothing(found, grant, None));
        }
        Err(error) => return Err(error),
    };
    let obstacle = if is_pending { execute::obstacle(ctx, approval).await? } else { None };
    let changes =
        if is_pending { changes(&opened, approval.asked.refs().to_vec()).await? } else { Vec::new() };
    Ok(Look { found, grant, repository: Some(opened.access), changes, obstacle })
}

/// Refuses to approve what was not shown, unless the caller says to have looked at it by other means.
pub(super) async fn require_looked(
    ctx: &RequestContext,
    id: &ApprovalId,
    has_looked_elsewhere: bool,
) -> Result<()> {
    if has_looked_elsewhere || look(ctx, id).await?.unshown().is_empty() {
        return Ok(());
    }
    let message = "not all of this is shown: say that you have looked at the rest by other means, or deny it";
    Err(Error::invalid("Approval", "looked_elsewhere", forge_types::FieldCode::MissingField, message))
}

/// Where the refs are that changes are compared with.
struct Around {
    default: Option<ObjectId>,
    /// Where all refs are once the changes are made.
    after: Vec<ObjectId>,
}

async fn changes(opened: &Opened, held: Vec<HeldChange>) -> Result<Vec<ShownChange>> {
    let head = opened.refs().head().clone();
    let default = opened.ref_id(&head);
    let named: HashSet<&str> = held.iter().map(|one| one.name.as_str()).collect();
    let others = opened.refs().refs().iter().filter(|one| !named.contains(one.name.as_str()));
    let after: HashSet<ObjectId> =
        others.map(|one| one.peeled.unwrap_or(one.id)).chain(held.iter().filter_map(|one| one.new)).collect();
    opened
        .read(move |objects| {
            let after = after.into_iter().filter_map(|id| commit_of(objects, id).ok()).collect();
            let default = default.and_then(|id| commit_of(objects, id).ok());
            let around = Around { default, after };
            let mut room = Room::default();
            let shown = held.into_iter().map(|held| {
                let is_default = held.name == head;
                // What is too long to be read is not shown; the page says so.
                let content = content(objects, &held, is_default, &around, &mut room).ok();
                ShownChange { held, is_default, content }
            });
            Ok(shown.collect())
        })
        .await
}

fn content(
    objects: &mut Objects,
    held: &HeldChange,
    is_default: bool,
    around: &Around,
    room: &mut Room,
) -> Result<Content> {
    let tag = tag(objects, held.new)?.map(|tag| room.take_tag(tag));
    let mut shown = Content { tag, ..Content::default() };
    let old = held.old.map(|id| commit_of(objects, id)).transpose()?;
    let new = held.new.map(|id| commit_of(objects, id)).transpose()?;
    let default = around.default.filter(|_| !is_default);
    if let Some(new) = new {
        let base = old.or(default);
        shown.added = commits(commits_beyond(objects, new, base.into_iter().collect())?, room);
    }
    if let Some(old) = old.filter(|_| new.is_none() || held.forced) {
        let leaving = new.map(|new| commits_beyond(objects, old, vec![new])).transpose()?;
        let lost = commits_beyond(objects, old, around.after.clone())?;
        shown.leaving = leaving.map_or(lost.count, |leaving| leaving.count);
        shown.lost = commits(lost, room);
    }
    let (from, to) = match (old, new) {
        (Some(old), Some(new)) => (Some(old), Some(new)),
        (None, Some(new)) => (parting(objects, default, new)?, Some(new)),
        (Some(old), None) if shown.lost.count > 0 => (Some(old), parting(objects, default, old)?),
        _ => return Ok(shown),
    };
    let found = changed_files(objects, from, to)?;
    shown.files = ShownFiles {
        count: found.count,
        is_cut: found.is_cut,
        stats: found.stats,
        touches_workflows: found.touches_workflows,
        files: found.files.into_iter().map(|file| room.take_file(file)).collect(),
    };
    Ok(shown)
}

fn commits(listed: ListedCommits, room: &mut Room) -> ShownCommits {
    // The newest first, should there be no room for all.
    let mut commits: Vec<ShownCommit> =
        listed.commits.into_iter().rev().map(|commit| room.take_commit(commit)).collect();
    commits.reverse();
    ShownCommits { count: listed.count, commits }
}

/// Returns where a history left the default branch; none if they have nothing in common.
fn parting(objects: &mut Objects, default: Option<ObjectId>, tip: ObjectId) -> Result<Option<ObjectId>> {
    let Some(default) = default else { return Ok(None) };
    Ok(objects.merge_bases(default, tip, MAX_VISITED).map_err(fault)?.first().copied())
}

fn tag(objects: &mut Objects, id: Option<ObjectId>) -> Result<Option<Tag>> {
    let Some(id) = id else { return Ok(None) };
    if objects.peel(id).map_err(fault)?.kind != ObjectKind::Tag {
        return Ok(None);
    }
    objects.tag(id).map(Some).map_err(fault)
}
