//! Files changed without a clone: each change is a commit on a branch
//! (<https://docs.github.com/rest/repos/contents#create-or-update-file-contents>).

use std::collections::HashSet;

use forge_git::objects::{
    Commit, CommitDraft, EntryKind, Objects, PackBuilder, Signature, TreeEdit, TreeEntry,
};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectFormat, ObjectId, RefName, Result};

use super::{ContentEntry, describe};
use crate::context::RequestContext;
use crate::git::fault;
use crate::objects::{Identity, Opened, refused, signatures};
use crate::refs::Door;
use crate::repositories::refs::{Wanted, land};
use crate::target::RepositoryTarget;

/// What one commit may change at most.
const MAX_CHANGES: usize = 1000;

/// What is to be done to a file.
#[derive(Clone, Debug)]
pub struct FileEdit {
    /// The path.
    pub path: String,
    /// The bytes it is to have; none if it is to be deleted.
    pub content: Option<Vec<u8>>,
    /// The object that lies there now, so that nobody's change is lost unseen.
    pub sha: Option<String>,
    /// The branch; the default one when left out.
    pub branch: Option<String>,
    /// What the commit says.
    pub message: String,
    /// Who wrote the change: the committer when left out.
    pub author: Option<Identity>,
    /// Who made the commit: the caller when left out.
    pub committer: Option<Identity>,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub struct FileCommit {
    /// The repository.
    pub access: RepositoryAccess,
    /// The branch.
    pub branch: String,
    /// The file as it is now; none if it was deleted.
    pub entry: Option<ContentEntry>,
    /// Was it not there before?
    pub is_new: bool,
    /// The commit.
    pub commit: Commit,
}

/// Creates a file or changes it.
///
/// # Errors
/// `Stale` if something else lies there than was named, or the branch moved meanwhile; `Invalid` if something lies there and
/// was not named, or the path is none; `NotFound` if there is no such branch; what the decision about pushing and the gate say.
pub async fn put_file(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    edit: FileEdit,
) -> Result<FileCommit> {
    change_file(ctx, target, edit, Door::PutFile).await
}

/// Deletes a file.
///
/// # Errors
/// As [`put_file`]; `NotFound` if there is no such file.
pub async fn delete_file(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    edit: FileEdit,
) -> Result<FileCommit> {
    change_file(ctx, target, FileEdit { content: None, ..edit }, Door::DeleteFile).await
}

async fn change_file(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    edit: FileEdit,
    door: Door,
) -> Result<FileCommit> {
    let opened = Opened::open(ctx, target, Action::CodePush).await?;
    let branch = edit.branch.clone().unwrap_or_else(|| opened.access.repository.default_branch.clone());
    let tip = Tip::find(&opened, &branch)?;
    let (author, committer) = match (&edit.author, &edit.committer) {
        // GitHub names the committer first here: an author alone does not make the commit.
        (Some(author), None) => {
            let (_, own) = signatures(ctx, None, None).await?;
            (signatures(ctx, Some(author), None).await?.0, own)
        }
        (author, committer) => signatures(ctx, author.as_ref(), committer.as_ref()).await?,
    };
    let path = edit.path.trim_start_matches('/').to_owned();
    let parent = tip.id;
    let is_delete = edit.content.is_none();
    let build = {
        let path = path.clone();
        move |objects: &mut Objects| {
            let present = present(objects, parent, &path)?;
            check_present(present.as_ref(), &path, edit.sha.as_deref(), is_delete)?;
            let change = match edit.content {
                Some(data) => FileChange { path, content: FileContent::Bytes(data) },
                None => FileChange { path, content: FileContent::Nothing },
            };
            let made = Draft { parent, author, committer, message: edit.message };
            let (pack, id) = made.build(objects, vec![change])?;
            Ok((pack, id, present.is_none()))
        }
    };
    let (pack, commit_id, is_new) = opened.read(build).await?;
    let (opened, commit) = tip.land(opened, door, pack, commit_id).await?;
    let entry = match is_delete {
        true => None,
        false => Some(opened.read(move |objects| shown(objects, commit_id, &path)).await?),
    };
    Ok(FileCommit { access: opened.access, branch, entry, is_new, commit })
}

/// Several changes that make one commit.
#[derive(Clone, Debug)]
pub struct BranchCommit {
    /// The branch.
    pub branch: String,
    /// The commit that the branch must be at.
    pub expected: ObjectId,
    /// The files.
    pub changes: Vec<FileChange>,
    /// What the commit says.
    pub message: String,
}

/// A file, and what is to become of it.
#[derive(Clone, Debug)]
pub struct FileChange {
    /// The path.
    pub path: String,
    /// What is to lie there.
    pub content: FileContent,
}

/// What is to lie at a path.
#[derive(Clone, Debug)]
pub enum FileContent {
    /// A file of these bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Nothing,
}

/// Commits changes of several files on a branch.
///
/// # Errors
/// `Stale` if the branch is not at the commit that was named; `NotFound` if there is no such branch; `Invalid` if a path is
/// none; what the decision about pushing and the gate say.
pub async fn commit_on_branch(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    new: BranchCommit,
) -> Result<(RepositoryAccess, Commit)> {
    let opened = Opened::open(ctx, target, Action::CodePush).await?;
    let tip = Tip::find(&opened, &new.branch)?;
    if tip.id != Some(new.expected) {
        return Err(Error::stale(format!(
            "Expected branch to point to \"{}\" but it did not. Pull and try again.",
            new.expected
        )));
    }
    let (author, committer) = signatures(ctx, None, None).await?;
    let draft = Draft { parent: tip.id, author, committer, message: new.message };
    let (pack, commit_id) = opened.read(move |objects| draft.build(objects, new.changes)).await?;
    let (opened, commit) = tip.land(opened, Door::CommitOnBranch, pack, commit_id).await?;
    Ok((opened.access, commit))
}

/// The branch that is committed to.
struct Tip {
    name: RefName,
    /// Where it is; none if the repository has no branch at all.
    id: Option<ObjectId>,
}

impl Tip {
    fn find(opened: &Opened, branch: &str) -> Result<Self> {
        let absent = || Error::new(ErrorKind::NotFound, format!("Branch {branch} not found"));
        let name = RefName::branch(branch).map_err(|_| absent())?;
        match opened.ref_id(&name) {
            Some(id) => Ok(Self { name, id: Some(id) }),
            None if opened.require_content().is_err() => Ok(Self { name, id: None }),
            None => Err(absent()),
        }
    }

    /// Moves the branch to the new commit and reads that.
    async fn land(
        self,
        mut opened: Opened,
        door: Door,
        pack: PackBuilder,
        commit_id: ObjectId,
    ) -> Result<(Opened, Commit)> {
        let wanted = Wanted { name: self.name, old: self.id, new: Some(commit_id), may_force: false };
        land(&opened, door, Some(pack), vec![wanted]).await?;
        opened.look_again();
        let commit = opened.read(move |objects| objects.commit(commit_id).map_err(fault)).await?;
        Ok((opened, commit))
    }
}

/// A commit on top of another one.
struct Draft {
    parent: Option<ObjectId>,
    author: Signature,
    committer: Signature,
    message: String,
}

impl Draft {
    /// Writes the files, the trees they are in, and the commit. Blocks.
    fn build(self, objects: &mut Objects, changes: Vec<FileChange>) -> Result<(PackBuilder, ObjectId)> {
        if changes.len() > MAX_CHANGES {
            return Err(Error::unprocessable(format!("a commit changes at most {MAX_CHANGES} files here")));
        }
        let mut pack = PackBuilder::new(ObjectFormat::Sha1);
        let mut edits = Vec::with_capacity(changes.len());
        let mut paths = HashSet::new();
        for change in changes {
            if !paths.insert(change.path.clone()) {
                return Err(Error::unprocessable(format!("`{}` is changed twice", change.path)));
            }
            let kind = kind_at(objects, self.parent, &change.path)?;
            let path = change.path.into_bytes();
            edits.push(match change.content {
                FileContent::Nothing => TreeEdit::Delete { path },
                FileContent::Bytes(data) => {
                    TreeEdit::Put { path, kind, id: pack.blob(&data).map_err(refused)? }
                }
            });
        }
        let base = self.parent.map(|parent| objects.commit(parent).map_err(fault)).transpose()?;
        let tree_id = pack.edit_tree(objects, base.map(|base| base.tree_id), &edits).map_err(refused)?;
        let draft = CommitDraft {
            tree_id,
            parent_ids: self.parent.into_iter().collect(),
            author: self.author,
            committer: self.committer,
            message: self.message,
        };
        let id = pack.commit(&draft).map_err(refused)?;
        Ok((pack, id))
    }
}

fn present(objects: &mut Objects, parent: Option<ObjectId>, path: &str) -> Result<Option<TreeEntry>> {
    let Some(parent) = parent else { return Ok(None) };
    objects.entry_at(parent, path.as_bytes()).map_err(fault)
}

/// A file that may be executed stays one.
fn kind_at(objects: &mut Objects, parent: Option<ObjectId>, path: &str) -> Result<EntryKind> {
    let kind = present(objects, parent, path)?.map(|entry| entry.kind);
    Ok(kind.filter(|kind| *kind == EntryKind::Executable).unwrap_or(EntryKind::File))
}

/// Is what lies there what the caller knows of?
fn check_present(present: Option<&TreeEntry>, path: &str, sha: Option<&str>, is_delete: bool) -> Result<()> {
    let mismatch = |sha: &str| Error::stale(format!("{path} does not match {sha}"));
    match (present, sha) {
        (None, _) if is_delete => Err(Error::not_found()),
        (None, None) => Ok(()),
        (None, Some(sha)) => Err(mismatch(sha)),
        (Some(entry), _) if entry.kind == EntryKind::Tree => {
            Err(Error::unprocessable(format!("`{path}` is a directory")))
        }
        (Some(_), None) => Err(Error::unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")),
        (Some(entry), Some(sha)) if entry.id.to_string() == sha => Ok(()),
        (Some(_), Some(sha)) => Err(mismatch(sha)),
    }
}

fn shown(objects: &mut Objects, commit_id: ObjectId, path: &str) -> Result<ContentEntry> {
    let entry = objects.entry_at(commit_id, path.as_bytes()).map_err(fault)?.ok_or_else(Error::not_found)?;
    describe(objects, &entry, path.rsplit_once('/').map_or("", |(parent, _)| parent))
}
