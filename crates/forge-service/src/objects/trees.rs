//! Directories: listed with all that lies below them, and made of others.

use forge_git::objects::{EntryKind, Listing, ListingLimits, ObjectKind, Objects, PackBuilder, TreeEdit};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ObjectId, Result};

use super::opened::Opened;
use super::{make, parse, refused};
use crate::context::RequestContext;
use crate::git::fault;
use crate::target::RepositoryTarget;

/// As many entries and bytes as GitHub lists at most.
const LIMITS: ListingLimits = ListingLimits { entries: 100_000, bytes: 7 * 1024 * 1024 };

/// How many entries a new tree may be given.
const MAX_ITEMS: usize = 10_000;

/// What a directory holds.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its id.
    pub id: ObjectId,
    /// The entries.
    pub items: Vec<TreeItem>,
    /// Is there more than is shown?
    pub is_truncated: bool,
}

/// Something in a directory.
#[derive(Clone, Debug)]
pub struct TreeItem {
    /// The path from the directory that was asked for; what is not UTF-8 is replaced.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The object it names.
    pub id: ObjectId,
    /// The bytes of a file.
    pub size: Option<u64>,
}

/// One entry of a new tree.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// The path.
    pub path: String,
    /// What it is to be.
    pub kind: EntryKind,
    /// What is to lie there.
    pub content: NewItemContent,
}

/// What is to lie at a path.
#[derive(Clone, Debug)]
pub enum NewItemContent {
    /// An object that there is.
    Object(ObjectId),
    /// A new file of these bytes.
    Bytes(Vec<u8>),
    /// Nothing: what lies there goes.
    Nothing,
}

/// Returns what a directory holds, named by its id, by a commit or by a ref; with `is_recursive` all that lies below it too.
///
/// # Errors
/// `NotFound` if there is none that the caller may read; `Conflict` if the repository is empty.
pub async fn tree(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    name: &str,
    is_recursive: bool,
) -> Result<(RepositoryAccess, Tree)> {
    let mut opened = Opened::open(ctx, target, Action::CodeRead).await?;
    opened.require_content()?;
    let named = opened.resolve(Some(name)).await?;
    let tree = opened.read(move |objects| {
        let id = tree_of(objects, named.id)?;
        list(objects, id, is_recursive)
    });
    let tree = tree.await?;
    Ok((opened.access, tree))
}

/// Returns the directory that a tree, a commit or a tag stands for.
fn tree_of(objects: &mut Objects, id: ObjectId) -> Result<ObjectId> {
    if id == ObjectId::empty_tree(id.format()) {
        return Ok(id);
    }
    let target = objects.peel(id).map_err(fault)?;
    match target.target_kind {
        ObjectKind::Tree => Ok(target.target_id),
        ObjectKind::Commit => Ok(objects.commit(target.target_id).map_err(fault)?.tree_id),
        ObjectKind::Blob | ObjectKind::Tag => Err(Error::not_found()),
    }
}

fn list(objects: &mut Objects, id: ObjectId, is_recursive: bool) -> Result<Tree> {
    let listing = if is_recursive { objects.list(id, LIMITS).map_err(fault)? } else { direct(objects, id)? };
    let mut items = Vec::with_capacity(listing.entries.len());
    for entry in listing.entries {
        let size = match entry.kind {
            EntryKind::File | EntryKind::Executable | EntryKind::Link => {
                Some(objects.header(entry.id).map_err(fault)?.1)
            }
            EntryKind::Tree | EntryKind::Submodule => None,
        };
        let path = String::from_utf8_lossy(&entry.path).into_owned();
        items.push(TreeItem { path, kind: entry.kind, id: entry.id, size });
    }
    Ok(Tree { id, items, is_truncated: listing.is_truncated })
}

/// Lists a directory alone.
fn direct(objects: &mut Objects, id: ObjectId) -> Result<Listing> {
    let mut entries = objects.tree(id).map_err(fault)?;
    let is_truncated = entries.len() > LIMITS.entries;
    entries.truncate(LIMITS.entries);
    let entries = entries.into_iter().map(|entry| forge_git::objects::PathEntry {
        path: entry.name,
        kind: entry.kind,
        id: entry.id,
    });
    Ok(Listing { entries: entries.collect(), is_truncated })
}

/// Makes a directory, from `base` if one is named: a tree, or a commit that has it.
///
/// # Errors
/// `Invalid` if an entry is none that a directory can have, or names an object that the caller may not read; `Conflict` if the
/// repository is empty; what the decision about pushing says.
pub async fn create_tree(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    base: Option<&str>,
    items: Vec<NewItem>,
) -> Result<(RepositoryAccess, Tree)> {
    let mut opened = make::open(ctx, target).await?;
    if items.len() > MAX_ITEMS {
        return Err(Error::unprocessable(format!("a tree may be given at most {MAX_ITEMS} entries at once")));
    }
    let base = base.map(parse).transpose()?;
    check_base(&mut opened, base).await?;
    check_items(&mut opened, &items).await?;
    let tree = make::make(&opened, move |objects, pack| {
        let base = base.map(|base| tree_of(objects, base)).transpose().map_err(|_| bad_base())?;
        let edits = edits(objects, pack, base, items)?;
        pack.edit_tree(objects, base, &edits).map_err(refused)
    });
    let id = tree.await?;
    opened.look_again();
    let tree = opened.read(move |objects| list(objects, id, false)).await?;
    Ok((opened.access, tree))
}

fn bad_base() -> Error {
    Error::unprocessable("base_tree is not a valid tree oid")
}

async fn check_base(opened: &mut Opened, base: Option<ObjectId>) -> Result<()> {
    let Some(base) = base else { return Ok(()) };
    opened.check(&[base]).await.map_err(|error| unless_unavailable(error, bad_base()))
}

async fn check_items(opened: &mut Opened, items: &[NewItem]) -> Result<()> {
    // A submodule's commit is in another repository.
    let ids: Vec<ObjectId> = items
        .iter()
        .filter(|item| item.kind != EntryKind::Submodule)
        .filter_map(|item| match item.content {
            NewItemContent::Object(id) => Some(id),
            NewItemContent::Bytes(_) | NewItemContent::Nothing => None,
        })
        .collect();
    let absent = Error::unprocessable("tree.sha is not an object of this repository");
    opened.check(&ids).await.map_err(|error| unless_unavailable(error, absent))
}

/// Returns `instead` for what is absent or hidden, and any other error as it is.
pub(super) fn unless_unavailable(error: Error, instead: Error) -> Error {
    match error.kind() {
        forge_types::ErrorKind::NotFound => instead,
        _ => error,
    }
}

fn edits(
    objects: &mut Objects,
    pack: &mut PackBuilder,
    base: Option<ObjectId>,
    items: Vec<NewItem>,
) -> Result<Vec<TreeEdit>> {
    let mut edits = Vec::with_capacity(items.len());
    for item in items {
        let path = item.path.into_bytes();
        let id = match item.content {
            NewItemContent::Nothing => {
                edits.push(TreeEdit::Delete { path });
                continue;
            }
            NewItemContent::Object(id) => id,
            NewItemContent::Bytes(data) => pack.blob(&data).map_err(refused)?,
        };
        let old = base.map(|base| objects.entry_in(base, &path)).transpose().map_err(refused)?.flatten();
        if old.is_some_and(|old| old.kind == EntryKind::Tree) && !path.is_empty() {
            edits.push(TreeEdit::Delete { path: path.clone() });
        }
        edits.push(TreeEdit::Put { path, kind: item.kind, id });
    }
    Ok(edits)
}
