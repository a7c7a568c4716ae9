//! Moving refs, and finding out why some did not move.

use std::collections::HashSet;

use forge_store::Tx;
use forge_store::refs::{self as store, Creation, Deletion, Move};
use forge_types::id::RepositoryId;
use forge_types::{RefName, Result, Timestamp};

use super::RefChange;

/// Up to this many refusals are explained by asking the database; a push of thousands of stale refs is not worth more.
const EXPLAINED: usize = 20;

/// From this many created refs on, all refs are searched for conflicts at once.
const MANY: usize = 20;

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
) -> Result<std::collections::HashMap<String, String>> {
    let mut found = std::collections::HashMap::new();
    let refused = |name: &RefName, other: &RefName| {
        (name.to_string(), format!("`{other}` exists; cannot create `{name}`"))
    };
    if created.len() >= MANY {
        for directory in store::list_directories(tx, repository).await? {
            let below = format!("{directory}/");
            for name in created.iter().filter(|name| name.as_str().starts_with(&below)) {
                found.extend([refused(name, &directory)]);
            }
            if created.contains(&directory) {
                let reason = format!("there are refs below `{below}`; cannot create `{directory}`");
                found.insert(directory.to_string(), reason);
            }
        }
        return Ok(found);
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
        found.extend(other.map(|other| refused(name, &other)));
    }
    Ok(found)
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
