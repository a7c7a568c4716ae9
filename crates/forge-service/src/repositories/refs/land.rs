//! From what is to point where to the gate: the objects are made durable, the facts found, and refs and pack change in one
//! transaction.

use std::time::Duration;

use forge_git::Repository;
use forge_git::objects::{Objects, PackBuilder};
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, ObjectId, RefName, Result};

use crate::context::RequestContext;
use crate::git::{fault, keep};
use crate::objects::Opened;
use crate::refs::{self, Door, Outcome, Push, RefChange, Watch};
use crate::repositories::branches::Renamed;
use crate::target::RepositoryTarget;

/// A ref, and where it is to point.
#[derive(Clone, Debug)]
pub(in crate::repositories) struct Wanted {
    /// The ref.
    pub(in crate::repositories) name: RefName,
    /// Where it points; none if it is to be created.
    pub(in crate::repositories) old: Option<ObjectId>,
    /// Where it is to point; none if it is to be deleted.
    pub(in crate::repositories) new: Option<ObjectId>,
    /// May it lose history?
    pub(in crate::repositories) may_force: bool,
}

/// Moves refs, all or none, with the objects that they need.
///
/// # Errors
/// What the decision about pushing says; `ApprovalRequired` if it waits for a human; `Invalid` if the gate refuses; `Stale` if
/// a ref is no longer where it was.
pub(in crate::repositories) async fn land(
    opened: &Opened,
    door: Door,
    pack: Option<PackBuilder>,
    wanted: Vec<Wanted>,
) -> Result<()> {
    land_with(opened, door, pack, wanted, None).await
}

/// The same; a default branch that is renamed stays the default branch, in the same transaction.
///
/// # Errors
/// As [`land`]; `Forbidden` if the caller may not rename the default branch.
pub(in crate::repositories) async fn land_with(
    opened: &Opened,
    door: Door,
    pack: Option<PackBuilder>,
    wanted: Vec<Wanted>,
    renamed: Option<Renamed>,
) -> Result<()> {
    let (ctx, directory) = (opened.ctx().clone(), opened.directory());
    let (id, rebuilds) = (opened.access.repository.id, opened.access.git_state.rebuilds);
    let watch = Watch::of(opened.ctx(), &opened.access).await?;
    let held = keep(opened.ctx(), id, pack, async move |pack| {
        let (changes, wanted) = inspect(directory, watch, wanted).await?;
        let push = Push { pack, rebuilds_at_check: Some(rebuilds), ..Push::by(door) };
        let mut tx = ctx.begin().await?;
        // What was decided before the objects were made is decided again, in the transaction that relies on it.
        let mut found = ctx.authorize(&mut tx, RepositoryTarget::Id(id), Action::CodePush).await?;
        if let Some(renamed) = renamed {
            renamed.follow(&ctx, &mut tx, &mut found).await?;
        }
        let outcome = refs::update(&ctx, &mut tx, &found, &push, &changes).await?;
        if outcome.is_applied {
            return Ok((tx, outcome.held));
        }
        // What was tried is taken back first.
        drop(tx);
        Err(refusal(&ctx, &found, outcome, &wanted).await?)
    })
    .await?;
    held.map_or(Ok(()), |note| Err(Error::approval_required(note)))
}

async fn inspect(
    directory: Repository,
    watch: Watch,
    wanted: Vec<Wanted>,
) -> Result<(Vec<RefChange>, Vec<Wanted>)> {
    let inspect = move || {
        let mut objects = Objects::open(&directory).map_err(fault)?;
        let mut changes = Vec::with_capacity(wanted.len());
        for one in &wanted {
            let change = RefChange::inspect(&mut objects, &watch, one.name.clone(), one.old, one.new);
            let change = change.map_err(Error::unprocessable)?;
            if change.is_forced() && !one.may_force {
                return Err(Error::unprocessable("Update is not a fast forward"));
            }
            changes.push(change);
        }
        Ok((changes, wanted))
    };
    tokio::task::spawn_blocking(inspect).await.map_err(Error::internal)?
}

/// Returns what to say of changes that were refused: whether trying again may help.
async fn refusal(
    ctx: &RequestContext,
    found: &RepositoryAccess,
    outcome: Outcome,
    wanted: &[Wanted],
) -> Result<Error> {
    let unexplained = || Error::internal("refs were not changed, and nothing says why");
    if outcome.rebuilds_now.is_some() {
        let message = "the objects of the repository are being sorted, try again in a moment";
        return Ok(Error::new(ErrorKind::Unavailable(Duration::from_secs(1)), message));
    }
    if outcome.denial.is_some() || outcome.held.is_some() {
        return Ok(outcome.into_result().err().unwrap_or_else(unexplained));
    }
    let mut conn = ctx.read().await?;
    for one in wanted {
        let now = forge_store::refs::find(&mut conn, found.repository.id, &one.name).await?;
        if now.map(|now| now.object_id) != one.old {
            return Ok(Error::stale(format!("`{}` was changed meanwhile, try again", one.name)));
        }
    }
    Ok(outcome.into_result().err().unwrap_or_else(unexplained))
}
