//! From the name of a revision to a commit.

use forge_git::objects::{ObjectKind, Objects};
use forge_store::Conn;
use forge_store::refs::StoredRef;
use forge_types::repository::Repository;
use forge_types::{Error, ObjectId, RefName, Result};

use crate::git::fault;

/// Past this many branches, a commit that is no branch's or tag's tip is looked for in the default branch alone.
const MAX_WALKED: usize = 64;

/// A branch, a tag or a commit.
pub(super) struct Revision {
    /// As it was named.
    pub(super) name: String,
    found: Found,
}

enum Found {
    /// What a ref points to.
    Tip(ObjectId),
    /// A commit that has to be shown to belong to one of these tips.
    Claimed(ObjectId, Vec<ObjectId>),
}

impl Revision {
    /// Finds `name` among the refs that readers see; the default branch when none is named.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    pub(super) async fn find(conn: &mut Conn, repository: &Repository, name: Option<&str>) -> Result<Self> {
        let name = name.filter(|name| !name.is_empty() && *name != "HEAD");
        let named = name.unwrap_or(&repository.default_branch);
        for full in ["refs/heads/", "refs/tags/", ""].map(|prefix| format!("{prefix}{named}")) {
            let Ok(full) = RefName::new(full.as_str()) else { continue };
            if !full.as_str().starts_with("refs/") || !full.kind().is_writable_by_clients() {
                continue;
            }
            if let Some(found) = forge_store::refs::find(conn, repository.id, &full).await? {
                return Ok(Self { name: named.to_owned(), found: Found::Tip(tip(&found)) });
            }
        }
        let id: ObjectId = named.parse().map_err(|_| Error::not_found())?;
        let refs = forge_store::refs::list_visible(conn, repository.id).await?;
        let default = format!("refs/heads/{}", repository.default_branch);
        Ok(Self { name: named.to_owned(), found: claim(id, &refs, &default) })
    }

    /// Returns the commit.
    ///
    /// # Errors
    /// `NotFound` if it is none, or none that a ref leads to. Blocks.
    pub(super) fn commit_id(&self, objects: &mut Objects) -> Result<ObjectId> {
        let id = match &self.found {
            Found::Tip(id) => *id,
            Found::Claimed(id, tips) => {
                let is_known = objects.contains(*id)
                    && tips.iter().any(|tip| objects.is_ancestor(*id, *tip).unwrap_or(false));
                if !is_known {
                    return Err(Error::not_found());
                }
                *id
            }
        };
        let target = objects.peel(id).map_err(fault)?;
        if target.target_kind == ObjectKind::Commit { Ok(target.target_id) } else { Err(Error::not_found()) }
    }
}

fn tip(found: &StoredRef) -> ObjectId {
    found.peeled_id.unwrap_or(found.object_id)
}

fn claim(id: ObjectId, refs: &[StoredRef], default: &str) -> Found {
    if refs.iter().any(|found| found.object_id == id || tip(found) == id) {
        return Found::Tip(id);
    }
    let branches = refs.iter().filter(|found| found.name.branch_name().is_some());
    let mut tips: Vec<ObjectId> =
        branches.clone().filter(|found| found.name.as_str() == default).map(tip).collect();
    if branches.clone().count() <= MAX_WALKED {
        tips.extend(branches.map(tip));
    }
    Found::Claimed(id, tips)
}
