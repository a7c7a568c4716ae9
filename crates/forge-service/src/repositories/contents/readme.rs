//! The README: where it lies and which of several counts
//! (<https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-readmes>).

use forge_git::objects::{EntryKind, Objects, TreeEntry};
use forge_types::{Error, ObjectId, Result};

use super::{Content, ContentBody, ContentEntry, load, read_at};
use crate::context::RequestContext;
use crate::git::fault;
use crate::target::RepositoryTarget;

/// Where a README is looked for, in this order.
const PLACES: [&str; 3] = [".github", "", "docs"];
/// Endings of a README, best first.
const ENDINGS: [&str; 9] = ["md", "markdown", "mdown", "rst", "asciidoc", "adoc", "org", "txt", ""];

/// Returns the README of a repository, or of one directory of it.
///
/// # Errors
/// `NotFound` if there is none, or the caller may not read the repository.
pub async fn readme(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    directory: Option<&str>,
    revision: Option<&str>,
) -> Result<Content> {
    let places: Vec<String> = match directory {
        Some(directory) => vec![directory.trim_matches('/').to_owned()],
        None => PLACES.map(str::to_owned).to_vec(),
    };
    read_at(ctx, target, revision, move |objects, commit_id| find(objects, commit_id, &places)).await
}

fn find(
    objects: &mut Objects,
    commit_id: ObjectId,
    places: &[String],
) -> Result<(ContentEntry, ContentBody)> {
    for place in places {
        let Some(directory) = objects.entry_at(commit_id, place.as_bytes()).map_err(fault)? else { continue };
        if directory.kind != EntryKind::Tree {
            continue;
        }
        let entries = objects.tree(directory.id).map_err(fault)?;
        let best = entries.iter().filter_map(|entry| rank(entry).map(|rank| (rank, entry)));
        if let Some((_, entry)) = best.min_by_key(|(rank, _)| *rank) {
            return load(objects, entry, place);
        }
    }
    Err(Error::not_found())
}

/// Returns how good a README an entry is; smaller is better.
fn rank(entry: &TreeEntry) -> Option<usize> {
    if !matches!(entry.kind, EntryKind::File | EntryKind::Executable) {
        return None;
    }
    let name = std::str::from_utf8(&entry.name).ok()?.to_ascii_lowercase();
    let rest = name.strip_prefix("readme")?;
    let ending = if rest.is_empty() { "" } else { rest.strip_prefix('.')? };
    ENDINGS.iter().position(|known| *known == ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_comes_first_and_lookalikes_do_not_count() {
        let rank_of = |name: &str| {
            let id = "0123456789012345678901234567890123456789".parse().expect("an id");
            rank(&TreeEntry { name: name.as_bytes().to_vec(), kind: EntryKind::File, id })
        };
        assert!(rank_of("ReadMe.MD") < rank_of("readme.txt") && rank_of("readme.txt") < rank_of("README"));
        for name in ["readme.exe", "README-de", "AREADME.md"] {
            assert_eq!(rank_of(name), None, "{name}");
        }
    }
}
