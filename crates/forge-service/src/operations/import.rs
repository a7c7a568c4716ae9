//! Putting back refs that the database lost, from what lies in the repositories' directories.
//!
//! INVARIANT: a ref is put back only where there is none, and only if its whole history is there; what the database
//! knows stays as it is. Running it again changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use forge_git::objects::Objects;
use forge_git::{Processes, Repository};
use forge_store::inventory::InventoryEntry;
use forge_store::pushes::{self, NewPack, PackContent};
use forge_types::id::RepositoryId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, Event, ObjectId, Permission, RefName, Result};
use serde_json::json;

use super::each_repository;
use crate::context::RequestContext;
use crate::git::fault;
use crate::refs::{self, Door, Push, RefChange, Watch};
use crate::target::Site;

/// What was put back in one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedRefs {
    /// `OWNER/NAME`.
    pub repository: String,
    /// How many refs were put back.
    pub imported: usize,
    /// How many were there already, as they are.
    pub unchanged: usize,
    /// How many packs of the directory were taken up that the database knew nothing of.
    pub packs: usize,
    /// The refs that could not be put back, and why.
    pub problems: Vec<(String, String)>,
}

/// Puts back the refs of the repository called `only`, or of all, that lie in their directories.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `NotFound` if there is no such repository.
pub async fn import_refs(ctx: &RequestContext, only: Option<&str>) -> Result<Vec<ImportedRefs>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    let entries = each_repository(&mut conn, only).await?;
    drop(conn);
    let mut imported = Vec::new();
    for entry in entries {
        imported.push(import(ctx, entry).await?);
    }
    Ok(imported)
}

async fn import(ctx: &RequestContext, entry: InventoryEntry) -> Result<ImportedRefs> {
    let directory = ctx.app().git.repository(entry.id);
    let mut report = ImportedRefs { repository: entry.full_name.clone(), ..ImportedRefs::default() };
    let dumped = blocking({
        let directory = directory.clone();
        move || directory.dumped_refs().map_err(fault)
    })
    .await?;
    let missing = missing(ctx, entry.id, dumped, &mut report).await?;
    let whole = whole(&ctx.app().git.processes, &directory, missing, &mut report).await?;
    let changes = blocking({
        let directory = directory.clone();
        move || inspect(&directory, whole)
    })
    .await?;
    let (good, bad): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, change)| change.is_ok());
    report.problems.extend(bad.into_iter().filter_map(|(name, change)| Some((name, change.err()?))));
    let changes: Vec<RefChange> = good.into_iter().filter_map(|(_, change)| change.ok()).collect();
    if !changes.is_empty() {
        move_refs(ctx, entry.id, &directory, &changes, &mut report).await?;
    }
    report.problems.sort();
    Ok(report)
}

/// Returns the refs that the database lacks, and reports those that it has otherwise or that are none.
async fn missing(
    ctx: &RequestContext,
    repository: RepositoryId,
    dumped: BTreeMap<String, String>,
    report: &mut ImportedRefs,
) -> Result<Vec<(RefName, ObjectId)>> {
    let known = forge_store::refs::list_visible(&mut ctx.read().await?, repository).await?;
    let known: HashMap<String, ObjectId> =
        known.into_iter().map(|stored| (stored.name.to_string(), stored.object_id)).collect();
    let mut missing = Vec::new();
    for (name, id) in dumped {
        let read = (RefName::new(name.as_str()), id.parse::<ObjectId>());
        match (read, known.get(&name)) {
            ((Err(error), _), _) => report.problems.push((name, error.to_string())),
            ((_, Err(_)), _) => report.problems.push((name, "what it points to is no object id".to_owned())),
            ((Ok(_), Ok(id)), Some(present)) if id == *present => report.unchanged += 1,
            ((Ok(_), Ok(id)), Some(present)) => {
                let problem = format!("the database has it at {}, not at {}", present.short(), id.short());
                report.problems.push((name, problem));
            }
            ((Ok(name), Ok(id)), None) => missing.push((name, id)),
        }
    }
    Ok(missing)
}

/// Returns the refs whose whole history is there, and reports the others.
async fn whole(
    processes: &Processes,
    directory: &Repository,
    wanted: Vec<(RefName, ObjectId)>,
    report: &mut ImportedRefs,
) -> Result<Vec<(RefName, ObjectId)>> {
    let tips: HashSet<ObjectId> = wanted.iter().map(|(_, id)| *id).collect();
    let broken = broken(processes, directory, tips.into_iter().collect()).await?;
    let (bad, good): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, id)| broken.contains(id));
    let problem = |(name, id): (RefName, ObjectId)| {
        (name.to_string(), format!("{} or something it needs is missing", id.short()))
    };
    report.problems.extend(bad.into_iter().map(problem));
    Ok(good)
}

/// Finds the tips that lack something by halving: one that is whole costs nothing beside others that are.
async fn broken(
    processes: &Processes,
    directory: &Repository,
    tips: Vec<ObjectId>,
) -> Result<HashSet<ObjectId>> {
    let mut found = HashSet::new();
    let mut pending = vec![tips];
    while let Some(mut tips) = pending.pop().filter(|tips| !tips.is_empty()) {
        match (directory.check_whole(processes, &tips).await, tips.len()) {
            (Ok(()), _) => {}
            (Err(forge_git::Error::BadPack(_)), 1) => found.extend(tips),
            (Err(forge_git::Error::BadPack(_)), count) => {
                pending.push(tips.split_off(count / 2));
                pending.push(tips);
            }
            (Err(error), _) => return Err(fault(error)),
        }
    }
    Ok(found)
}

type Inspected = Vec<(String, std::result::Result<RefChange, String>)>;

fn inspect(directory: &Repository, wanted: Vec<(RefName, ObjectId)>) -> Result<Inspected> {
    let mut objects = Objects::open(directory).map_err(fault)?;
    let each = |(name, id): (RefName, ObjectId)| {
        (name.to_string(), RefChange::inspect(&mut objects, &Watch::default(), name, None, Some(id)))
    };
    Ok(wanted.into_iter().map(each).collect())
}

/// Moves the refs through the gate, and takes up the packs that their objects lie in.
async fn move_refs(
    ctx: &RequestContext,
    id: RepositoryId,
    directory: &Repository,
    changes: &[RefChange],
    report: &mut ImportedRefs,
) -> Result<()> {
    let known = forge_store::inventory::list_packs(&mut ctx.read().await?, id).await?;
    let packs = blocking({
        let directory = directory.clone();
        move || strays(&directory, &known)
    })
    .await?;
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let found = forge_store::repositories::find(&mut tx, None, id).await?.ok_or_else(Error::not_found)?;
    // Whoever administers the forge at its console administers each repository; the gate decides about each ref.
    let found = RepositoryAccess { permission: Some(Permission::Admin), ..found };
    let push = Push { is_atomic: false, ..Push::by(Door::Import) };
    let outcome = refs::update(ctx, &mut tx, &found, &push, changes).await?;
    for (change, result) in changes.iter().zip(&outcome.results) {
        match result {
            Ok(()) => report.imported += 1,
            Err(reason) => report.problems.push((change.name().to_string(), reason.clone())),
        }
    }
    if !outcome.is_applied {
        return Ok(());
    }
    for (name, objects, bytes) in &packs {
        let pack = NewPack { name, object_count: *objects, size_bytes: *bytes, content: PackContent::Any };
        pushes::adopt_pack(&mut tx, id, pack, ctx.now()).await?;
    }
    if !packs.is_empty() {
        let names: Vec<&String> = packs.iter().map(|(name, _, _)| name).collect();
        ctx.record(&mut tx, Event::new("packs.adopted").repository(id).with("packs", json!(names))).await?;
    }
    tx.commit().await?;
    report.packs = packs.len();
    Ok(())
}

/// Returns the packs of the directory that are on no manifest and whole: name, objects, bytes.
fn strays(directory: &Repository, known: &[String]) -> Result<Vec<(String, i64, i64)>> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for name in directory.pack_names().map_err(fault)? {
        if known.contains(&name) {
            continue;
        }
        // A damaged one is for `verify` to tell of; nothing that is put back needs it.
        if let Ok(objects) = directory.verify_pack(&name) {
            let bytes = directory.pack_bytes(&name).map_err(fault)?;
            found.push((name, number(objects), number(bytes)));
        }
    }
    Ok(found)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
