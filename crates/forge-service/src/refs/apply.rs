//! Moving refs, and finding out why some did not move.

use std::collections::{HashMap, HashSet};

use forge_store::Tx;
use forge_store::refs::{self as store, Creation, Deletion, Move};
use forge_types::id::RepositoryId;
use forge_types::{RefName, Result, Timestamp};

use super::RefChange;

/// Up to this many refusals are explained by asking the database; a push of thousands of stale refs is not worth more.
const EXPLAINED: usize = 20;

/// From this many created refs on, all names are read and compared here.
const MANY: usize = 200;

type Results = [std::result::Result<(), String>];

/// Makes the changes that were not refused. Those that are not as expected, or that no file system could hold beside the
/// others, are refused now.
pub(super) async fn apply(
    tx: &mut Tx,
    repository: RepositoryId,
    changes: &[RefChange],
    results: &mut Results,
    now: Timestamp,
) -> Result<()> {
    let wanted: Vec<&RefChange> = changes
        .iter()
        .zip(&*results)
        .filter(|(_, result)| result.is_ok())
        .map(|(change, _)| change)
        .collect();
    let mut changed: HashSet<RefName> = HashSet::new();
    let deletions: Vec<Deletion<'_>> = wanted.iter().filter_map(|change| deletion(change)).collect();
    changed.extend(store::delete(tx, repository, &deletions).await?);
    let moves: Vec<Move<'_>> = wanted.iter().filter_map(|change| moved(change)).collect();
    changed.extend(store::update(tx, repository, &moves, now).await?);
    let creations: Vec<Creation<'_>> = wanted.iter().filter_map(|change| creation(change)).collect();
    let created = store::create(tx, repository, &creations, now).await?;
    let mut conflicts = conflicts(tx, repository, &created).await?;
    changed.extend(created);

    let mut explained = 0;
    for (change, result) in changes.iter().zip(results).filter(|(_, result)| result.is_ok()) {
        if let Some(reason) = conflicts.remove(change.name().as_str()) {
            take_back(tx, repository, change).await?;
            *result = Err(reason);
        } else if !changed.contains(change.name()) {
            explained += 1;
            let reason = if explained > EXPLAINED { None } else { explain(tx, repository, change).await? };
            *result = Err(reason.unwrap_or_else(|| "stale info: the ref is not as expected".to_owned()));
        }
    }
    Ok(())
}

fn deletion(change: &RefChange) -> Option<Deletion<'_>> {
    let (Some(old), None) = (change.old_id(), change.new_id()) else { return None };
    Some(Deletion { name: change.name(), old })
}

fn moved(change: &RefChange) -> Option<Move<'_>> {
    let (Some(old), Some(new)) = (change.old_id(), change.new_id()) else { return None };
    Some(Move { name: change.name(), old, new, peeled: change.peeled_id() })
}

fn creation(change: &RefChange) -> Option<Creation<'_>> {
    let (None, Some(new)) = (change.old_id(), change.new_id()) else { return None };
    Some(Creation { name: change.name(), new, peeled: change.peeled_id() })
}

/// A ref that was created a moment ago is removed again, because it cannot stand beside another.
async fn take_back(tx: &mut Tx, repository: RepositoryId, change: &RefChange) -> Result<()> {
    if let Some(new) = change.new_id() {
        store::delete(tx, repository, &[Deletion { name: change.name(), old: new }]).await?;
    }
    Ok(())
}

/// Returns which of the created refs would be a directory of another ref, or lie below one, and why that is refused.
async fn conflicts(
    tx: &mut Tx,
    repository: RepositoryId,
    created: &[RefName],
) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    if created.len() >= MANY {
        let names = store::list_names(tx, repository).await?;
        return Ok(conflicts_among(&names, created));
    }
    let above: HashSet<&str> = created.iter().flat_map(RefName::ancestors).collect();
    let above: Vec<&str> = above.into_iter().collect();
    let above = store::list_existing(tx, repository, &above).await?;
    for name in created {
        let parent = above.iter().find(|other| name.ancestors().any(|ancestor| ancestor == other.as_str()));
        let other = match parent {
            Some(parent) => Some(parent.clone()),
            None => store::find_below(tx, repository, name).await?,
        };
        found.extend(other.map(|other| refusal(name, &other)));
    }
    Ok(found)
}

fn refusal(name: &RefName, other: &RefName) -> (String, String) {
    (name.to_string(), format!("`{other}` exists; cannot create `{name}`"))
}

/// The same among the names of all refs, the created ones included.
fn conflicts_among(names: &[RefName], created: &[RefName]) -> HashMap<String, String> {
    let all: HashSet<&str> = names.iter().map(RefName::as_str).collect();
    let created: HashSet<&str> = created.iter().map(RefName::as_str).collect();
    let mut found = HashMap::new();
    for name in names {
        for ancestor in name.ancestors().filter(|ancestor| all.contains(ancestor)) {
            if created.contains(name.as_str()) {
                let reason = format!("`{ancestor}` exists; cannot create `{name}`");
                found.insert(name.to_string(), reason);
            }
            if created.contains(ancestor) {
                let reason = format!("there are refs below `{ancestor}/`; cannot create `{ancestor}`");
                found.insert(ancestor.to_owned(), reason);
            }
        }
    }
    found
}

/// Says why a ref did not move.
async fn explain(tx: &mut Tx, repository: RepositoryId, change: &RefChange) -> Result<Option<String>> {
    let name = change.name();
    if let Some(present) = store::find(tx, repository, name).await? {
        return Ok(Some(format!("stale info: the ref is at {} now", present.object_id.short())));
    }
    if change.old_id().is_some() {
        return Ok(Some("stale info: the ref does not exist".to_owned()));
    }
    let similar = store::find_by_fold(tx, repository, name).await?;
    Ok(similar.map(|other| format!("`{}` exists; it differs in case or form only", other.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_one_below_it_conflict_whichever_came_first() {
        let names = |names: &[&str]| -> Vec<RefName> {
            names.iter().map(|name| RefName::new(*name).unwrap()).collect()
        };
        let all = names(&[
            "refs/heads/a",
            "refs/heads/a/b",
            "refs/heads/a-b",
            "refs/heads/c/d/e",
            "refs/heads/c/d",
        ]);
        let of = |created: &[&str]| {
            let mut refused: Vec<String> = conflicts_among(&all, &names(created)).into_keys().collect();
            refused.sort();
            refused
        };
        assert_eq!(of(&["refs/heads/a/b"]), ["refs/heads/a/b"]);
        assert_eq!(of(&["refs/heads/a"]), ["refs/heads/a"]);
        assert_eq!(of(&["refs/heads/a-b"]), Vec::<String>::new());
        assert_eq!(of(&["refs/heads/c/d", "refs/heads/c/d/e"]), ["refs/heads/c/d", "refs/heads/c/d/e"]);
    }
}
